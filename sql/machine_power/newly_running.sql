-- Machines of their present holder that were read to be on after our pause, and of which he has not heard yet.
select resume.command_id, resume.customer, resume.reason, machine.site, machine.machine, item.number
from albacore.machine_command resume
join albacore.machine using (machine_id)
join albacore.machine_command pause on pause.machine_id = resume.machine_id and pause.action = 'pause'
    and pause.command_id = (
        select max(earlier.command_id) from albacore.machine_command earlier
        where earlier.machine_id = resume.machine_id and earlier.action = 'pause' and earlier.command_id < resume.command_id
            and earlier.commanded_at is not null
    )
join albacore.pause_plan_item item on item.plan_id = pause.plan_id and item.machine_id = pause.machine_id
join albacore.assigned_at(:now) assigned on assigned.machine_id = resume.machine_id and assigned.customer = pause.customer
where resume.action = 'resume' and resume.outcome = 'verified' and resume.told_at is null
order by resume.customer, resume.command_id, item.number
