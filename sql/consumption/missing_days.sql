-- Site-days that should have been collected by now and were not; `last_days` goes with `sites`.
select site, due.day::date as day
from unnest(cast(:sites as text[]), cast(:last_days as date[])) as asked (site, last_day)
join albacore.site using (site)
cross join lateral generate_series(starts_on, last_day, interval '1 day') as due (day)
where not exists (
    select from albacore.collection where collection.site = asked.site and collection.day = due.day::date
)
order by site, due.day
