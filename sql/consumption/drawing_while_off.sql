-- Machines of a site that drew power on a day while they were read to be off.
select machine, sum(wh)::bigint as wh
from albacore.drawing_while_off join albacore.machine using (machine_id)
where site = :site and day = :day
group by machine order by machine
