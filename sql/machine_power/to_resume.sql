-- Machines that stand still by our command and whose case is closed: we asked for a pause, and for no resume since.
select pause.command_id, pause.step_id, pause.machine_id, pause.customer, machine.site, machine.machine, escalation_case.outcome as reason
from albacore.machine_command pause
join albacore.machine using (machine_id)
join albacore.escalation_step using (step_id)
join albacore.escalation_case using (case_id)
where pause.action = 'pause' and pause.outcome in ('sent', 'verified', 'failed') and closed_at is not null
    and not exists (
        select from albacore.machine_command resume
        where resume.step_id = pause.step_id and resume.machine_id = pause.machine_id and resume.action = 'resume'
    )
order by pause.command_id
