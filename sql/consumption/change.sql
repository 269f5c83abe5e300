-- What a new revision changes against an old one, over the hours that the old one knew; hours that were missing and
-- came are no change. Only machines that differ are taken apart by the hour.
with differing as (
    select old.hourly_wh as old_wh, old.hourly_quality as old_quality, new.hourly_wh as new_wh, new.hourly_quality as new_quality
    from albacore.machine_day old
    left join albacore.machine_day new on new.collection_id = :new and new.day = old.day and new.machine_id = old.machine_id
    where old.collection_id = :old and old.day = :day
        and (old.hourly_wh, old.hourly_quality) is distinct from (new.hourly_wh, new.hourly_quality)
),
hours as (
    select old_wh[number] as old_wh, coalesce(new_wh[number], 0) as new_wh, substr(old_quality, number, 1) as old_quality,
        coalesce(substr(new_quality, number, 1), 'x') as new_quality
    from differing cross join lateral generate_series(1, length(old_quality)) as number
)
select (select coalesce(sum(wh), 0)::bigint from albacore.machine_day where collection_id = :old and day = :day) as old_wh,
    coalesce(sum(new_wh - old_wh) filter (where old_quality <> 'x' and new_quality <> 'x'), 0)::bigint as moved_wh,
    count(*) filter (where old_quality in ('m', 'i') and new_quality not in ('m', 'i')) as hours_lost
from hours
