-- Machine-days whose hours do not add up to the day.
select machine.site, machine.machine, machine_day.day, machine_day.wh, hours.wh as hours
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
join albacore.machine using (machine_id)
cross join lateral (select sum(hour) as wh from unnest(hourly_wh) as hour) hours
where machine_day.day between :first_day and :last_day and coalesce(machine_day.wh, 0) <> hours.wh
order by machine.site, machine.machine, machine_day.day
