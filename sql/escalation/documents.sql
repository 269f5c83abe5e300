-- What these customers' documents are about: each that is unpaid or whose case is open, what is owed, and what was
-- decided last. Machines are counted that the final notice named and that still may be paused.
with announced as materialized (
    select claim.step_id, claim.number
    from albacore.escalation_claim claim
    join albacore.escalation_step step using (step_id)
    join albacore.escalation_case using (case_id)
    where claim.superseded_at is null and step.does = 'announce' and closed_at is null and step.customer = any(:customers)
)
select document.customer, document.number, escalation_case.case_id, document.month, document.due_on, document.total,
    coalesce(owed.amount_due, 0) as amount_due, coalesce(owed.disputed, 0) as disputed,
    coalesce(owed.set_against, 0) as set_against, coalesce(owed.owed, 0) as owed, document.as_of, sent_at, payment_link,
    case
        when write_off.number is not null then 'written off'
        when document.state = 'voided' then 'voided'
        when owed.number is null then 'paid'
        else ''
    end as ended,
    coalesce(owed.stopped, '') as stopped, owed.stopped_until::date as stopped_until,
    coalesce(named.machines, 0)::integer as machines_left,
    again.case_id is not null as said_again,
    last.decision, last.stage, last.reason, last.next_stage, last.next_on, last.policy, last.policy_from
from albacore.document
left join albacore.escalation_case on escalation_case.number = document.number and closed_at is null
left join albacore.owed_at(:now, :customers) owed on owed.number = document.number
left join albacore.sent_document sent on sent.number = document.number
left join albacore.write_off on write_off.number = document.number
left join lateral (
    select decision, stage, reason, next_stage, next_on, policy, policy_from from albacore.case_decision
    where case_decision.case_id = escalation_case.case_id order by case_decision_id desc limit 1
) last on true
left join (
    select distinct case_id from albacore.escalation_claim where superseded_why = 'said again'
) again on again.case_id = escalation_case.case_id
left join (
    select number, count(*) as machines
    from announced
    join albacore.step_machine using (step_id, number)
    join albacore.pausable_at(:now, array(select number from announced)) using (number, machine_id)
    group by number
) named on named.number = escalation_case.number
where document.customer = any(:customers) and document.kind <> 'credit_note'
    and (escalation_case.case_id is not null or (owed.number is not null and write_off.number is null))
order by document.customer, document.due_on, document.number
