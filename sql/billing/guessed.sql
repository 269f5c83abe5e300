-- Estimated energy of spans whose tariff prices by the hour: with bands by band, else whole.
create temp table guessed on commit drop as
select span.machine_id, span.from_day, case hour_price.kind when 'time_of_use' then hour.band end as band, sum(hour.wh) as wh
from measured span
join hour_price on hour_price.tariff_id = span.tariff_id and hour_price.site = span.site
    and hour_price.day between span.from_day and span.to_day
cross join lateral (
    select hourly_wh, hourly_quality from albacore.machine_day known
    join cut on cut.collection_id = known.collection_id and cut.day = known.day
    where known.machine_id = span.machine_id and known.day = hour_price.day and estimated_wh > 0
    union all
    select hourly_wh, hourly_quality from estimable
    where estimable.machine_id = span.machine_id and estimable.day = hour_price.day
) known
cross join lateral unnest(hourly_wh, bands, regexp_split_to_array(hourly_quality, '')) as hour (wh, band, quality)
where span.estimated_wh > 0 and hour.quality = 'e'
group by span.machine_id, span.from_day, case hour_price.kind when 'time_of_use' then hour.band end
