-- Site-days to be collected: never read, or of a site whose data arrive late and not read since they were complete.
-- `last_days` goes with `sites`.
select site, due.day
from unnest(cast(:sites as text[]), cast(:last_days as date[])) as asked (site, last_day)
join albacore.site using (site)
cross join lateral (
    select series.day::date as day from generate_series(starts_on, last_day, interval '1 day') as series (day)
) due
left join lateral (
    select max(last_read_at) as at from albacore.collection where collection.site = asked.site and collection.day = due.day
) read on true
where read.at is null
    or (read.at < albacore.complete_at(due.day, late_days, timezone) and read.at < cast(:now as timestamptz) - interval '20 hours')
order by site, due.day
