-- The claims of these cases that count, in order, and what became of their notices, plans and tasks.
select claim.case_id, claim.stage, step.does, claim.owed, delivery.sent_at, delivery.delivered_at, delivery.came_back,
    step.not_before, named.machines, coalesce(plan.fell, '') as fell, coalesce(plan.vetoed, false) as vetoed,
    exists (
        select from albacore.task where task.key = 'step:' || step.step_id and closed_by <> 'pipeline'
    ) as task_finished
from albacore.escalation_claim claim
join albacore.escalation_step step using (step_id)
join albacore.step_delivery delivery using (step_id)
cross join lateral (
    select count(*)::integer as machines from albacore.step_machine
    where step_machine.step_id = step.step_id and step_machine.number = claim.number
) named
left join lateral (
    select min(fell_why) as fell, bool_or(fell_why like 'vetoed%') as vetoed
    from albacore.pause_plan join albacore.pause_plan_item item using (plan_id)
    where pause_plan.step_id = step.step_id and item.number = claim.number
    having bool_and(fell_at is not null)
) plan on true
where claim.case_id = any(:cases) and claim.superseded_at is null
order by claim.case_id, step.step_id
