-- Machines that were read to be off and of which the customer has not heard yet, with the documents they stand for.
select command.command_id, command.customer, item.number, machine.machine_id, machine.site, machine.machine
from albacore.machine_command command
join albacore.standing_item item on item.plan_id = command.plan_id and item.machine_id = command.machine_id
join albacore.machine on machine.machine_id = command.machine_id
where command.action = 'pause' and command.outcome = 'verified' and not exists (
    select from albacore.step_machine named join albacore.escalation_step step using (step_id)
    where named.machine_id = command.machine_id and named.number = item.number and step.does = 'pause'
        and step.decided_at >= command.commanded_at
)
order by command.customer, item.number, machine.site, machine.machine
