-- The steps of open cases. Delivered: the relay took every notice, and 24 hours passed without a bounce.
select escalation_case.customer, step.stage, step.acts_after, step.outcome,
    case when count(notice.notice_id) filter (where effect.state <> 'done') = 0
        then max((effect.answer ->> 'accepted_at')::timestamptz) end as sent_at,
    case when count(notice.notice_id) filter (where effect.state <> 'done' or notice.bounced_at is not null) = 0
        then max((effect.answer ->> 'accepted_at')::timestamptz) + interval '24 hours' end as delivered_at
from albacore.escalation_step step
join albacore.escalation_case using (case_id)
left join albacore.notice using (step_id)
left join albacore.effect using (effect_id)
where closed_at is null and escalation_case.customer = any(:customers)
group by escalation_case.customer, step.step_id
order by step.step_id
