-- What a new revision changes against an old one: site totals, and measured hours that are lost.
with old as (
    select machine_id, wh, hourly_quality from albacore.machine_day where collection_id = :old and day = :day
),
new as (
    select machine_id, wh, hourly_quality from albacore.machine_day where collection_id = :new and day = :day
)
select coalesce((select sum(wh) from old), 0)::bigint as old_wh, coalesce((select sum(wh) from new), 0)::bigint as new_wh,
    (
        select count(*) from old left join new using (machine_id)
        cross join lateral generate_series(1, length(old.hourly_quality)) as hour
        where old.hourly_quality is distinct from new.hourly_quality
            and substr(old.hourly_quality, hour, 1) in ('m', 'i')
            and coalesce(substr(new.hourly_quality, hour, 1), 'x') not in ('m', 'i')
    ) as hours_lost
