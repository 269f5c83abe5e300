-- The machines that stand on these documents and are their customers' today, billable.
select document.number, machine.machine_id, machine.site, machine.machine
from albacore.document
cross join lateral albacore.pausable_at(:now, document.number) pausable
join albacore.machine on machine.machine_id = pausable.machine_id
where document.number = any(:numbers)
order by document.number, machine.site, machine.machine
