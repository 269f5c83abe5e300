-- A person's word on machine-days: what is missing there will never be known. An empty machine means all of the site.
insert into albacore.accepted_gap (machine_id, day, reason, actor, accepted_at)
select machine_id, series.day::date, :reason, :actor, :now
from albacore.machine
cross join lateral generate_series(cast(:first_day as date), cast(:last_day as date), interval '1 day') as series (day)
where site = :site and (cardinality(cast(:machines as text[])) = 0 or machine = any(:machines))
on conflict do nothing
