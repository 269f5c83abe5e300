-- The pauses that these effects carry out, with what their gates ask about.
select command.effect_id, command.command_id, command.plan_id, command.customer, customer.country, command.machine_id,
    machine.site, machine.machine, command.commanded_at,
    exists (
        select from albacore.assigned_at(:now) assigned
        where assigned.machine_id = command.machine_id and assigned.customer = command.customer and assigned.state = 'billable'
    ) as still_theirs,
    coalesce(standing.numbers, '{}') as numbers,
    coalesce(fallen.why, '') as fell,
    (select count(*) from albacore.plan_approval approval where approval.plan_id = command.plan_id and approved_at is not null)::integer as approvals
from albacore.machine_command command
join albacore.machine using (machine_id)
join albacore.known_customer customer on customer.customer = command.customer
left join lateral (
    select array_agg(number order by number) as numbers from albacore.standing_item item
    where item.plan_id = command.plan_id and item.machine_id = command.machine_id
) standing on true
left join lateral (
    select min(fell_why) as why from albacore.pause_plan_item item
    where item.plan_id = command.plan_id and item.machine_id = command.machine_id and fell_at is not null
) fallen on true
where command.effect_id = any(:effects)
order by command.command_id
