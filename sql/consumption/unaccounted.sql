-- Machines of a site-day that the registry and the site do not agree on: rented and not listed by the site, or drawing
-- power and rented by nobody.
with rented as (
    select machine_id from albacore.assignment where until_version is null and :day between from_day and to_day
),
collected as (
    select machine_id, wh from albacore.machine_day where collection_id = :collection_id and day = :day
)
select machine, case when collected.machine_id is null then 'unknown' else 'unassigned' end as problem, wh
from (select machine_id, machine from albacore.machine where site = :site) as here
left join rented using (machine_id)
left join collected using (machine_id)
where (rented.machine_id is not null and collected.machine_id is null)
    or (rented.machine_id is null and collected.wh > 0)
order by machine
