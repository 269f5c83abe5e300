-- A command with all that its gates ask about.
select machine_command.command_id, machine_command.action, machine_command.customer, machine_command.outcome,
    machine.machine_id, machine.site, machine.machine, escalation_case.closed_at,
    exists (
        select from albacore.assigned_at(:now) assigned
        where assigned.machine_id = machine_command.machine_id and assigned.customer = machine_command.customer
    ) as still_theirs
from albacore.machine_command
join albacore.machine using (machine_id)
join albacore.escalation_step using (step_id)
join albacore.escalation_case using (case_id)
where effect_id = :effect_id
