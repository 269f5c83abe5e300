-- What tickets ask before they leave: whether a plan still stands for the machine and its present holder, and whether
-- pausing is forbidden.
select command.command_id, command.action,
    exists (
        select from albacore.standing_item item
        join albacore.assigned_at(:now) assigned on assigned.machine_id = item.machine_id and assigned.customer = item.customer
            and assigned.state = 'billable'
        where item.plan_id = command.plan_id and item.machine_id = command.machine_id
    ) as stands,
    coalesce((select is_on from albacore.kill_switch), false)
        or exists (select from albacore.site_stop where site_stop.site = machine.site and cleared_at is null) as forbidden
from albacore.machine_command command
join albacore.machine using (machine_id)
where command.command_id = any(:commands)
