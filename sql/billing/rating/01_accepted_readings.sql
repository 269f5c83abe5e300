-- The month as it stands now: the newest accepted collection of each site-day. Settled: read since everything that is
-- late could have arrived, so that what is missing stays missing.
create temp table accepted_readings on commit drop as
select collection_id, accepted.site, accepted.day,
    last_read_at >= albacore.complete_at(accepted.day, late_days, timezone) as settled
from albacore.accepted_collection accepted
join albacore.collection using (collection_id)
join albacore.site on site.site = accepted.site
where accepted.day between :first_day and :last_day
