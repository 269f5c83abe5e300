-- Strikes machines from the plans that stand: no longer the debtor's, not rented, or on nothing that still is claimed.
update albacore.pause_plan_item item set fell_at = :now, fell_why = case
    when assigned.machine_id is null then 'the machine is no longer the debtor''s, or not rented'
    else 'the machine stands on nothing that is still claimed'
end
from albacore.standing_item standing
join albacore.pause_plan plan using (plan_id)
left join albacore.assigned_at(:now) assigned on assigned.machine_id = standing.machine_id
    and assigned.customer = plan.customer and assigned.state = 'billable'
where item.plan_id = standing.plan_id and item.machine_id = standing.machine_id and item.number = standing.number
    and not exists (
        select from albacore.pausable_at(:now, array(select number from albacore.standing_item)) pausable
        where pausable.number = standing.number and pausable.machine_id = standing.machine_id
    )
