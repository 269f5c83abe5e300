-- A command with all that its gates ask about.
select machine_command.command_id, machine_command.action, machine_command.customer, machine_command.outcome,
    machine.machine_id, machine.site, machine.machine, escalation_case.closed_at,
    exists (
        select from albacore.assignment
        join albacore.site on site.site = machine.site
        where assignment.machine_id = machine.machine_id and assignment.customer = machine_command.customer
            and until_version is null
            and (cast(:now as timestamptz) at time zone timezone)::date between from_day and to_day
    ) as still_theirs
from albacore.machine_command
join albacore.machine using (machine_id)
join albacore.escalation_step using (step_id)
join albacore.escalation_case using (case_id)
where effect_id = :effect_id
