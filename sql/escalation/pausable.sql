-- The machines that stand on these documents and are their customers' today, billable.
select pausable.number, machine.machine_id, machine.site, machine.machine
from albacore.pausable_at(:now, :numbers) pausable
join albacore.machine on machine.machine_id = pausable.machine_id
order by pausable.number, machine.site, machine.machine
