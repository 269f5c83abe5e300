-- Estimated energy of spans whose tariff prices by the hour: with bands by band, else whole.
create temp table estimated_energy on commit drop as
select used.machine_id, used.from_day, case hour_price.kind when 'time_of_use' then hour.band end as band, sum(hour.wh) as wh
from span_energy used
join hour_price on hour_price.tariff_id = used.tariff_id and hour_price.site = used.site
    and hour_price.day between used.from_day and used.to_day
cross join lateral (
    select hourly_wh, hourly_quality from albacore.machine_day known
    join accepted_readings on accepted_readings.collection_id = known.collection_id and accepted_readings.day = known.day
    where known.machine_id = used.machine_id and known.day = hour_price.day and estimated_wh > 0
    union all
    select hourly_wh, hourly_quality from estimated_days
    where estimated_days.machine_id = used.machine_id and estimated_days.day = hour_price.day
) known
cross join lateral unnest(hourly_wh, bands, regexp_split_to_array(hourly_quality, '')) as hour (wh, band, quality)
where used.estimated_wh > 0 and hour.quality = 'e'
group by used.machine_id, used.from_day, case hour_price.kind when 'time_of_use' then hour.band end
