-- Machines that drew power while they were read to be off, by readings since somebody last looked at their site.
select site, machine, day, wh
from albacore.drawing_while_off join albacore.machine using (machine_id)
where collected_at > coalesce(
    (select max(cleared_at) from albacore.site_stop where site_stop.site = machine.site), '-infinity')
order by site, machine, day
