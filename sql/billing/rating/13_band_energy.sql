-- The energy of spans whose tariff has bands of hours, a row a span and band. The hours of days with equal bands are
-- added up first, each by its place in the day, and then told apart.
create temp table band_energy on commit drop as
with day_pattern as (
    select tariff_id, site, day, pattern from hour_price where kind = 'time_of_use'
),
hourly as (
    select span.machine_id, span.from_day, pattern, hourly_wh
    from albacore.machine_day
    join span on span.machine_id = machine_day.machine_id and machine_day.day between span.from_day and span.to_day
    join day_pattern on day_pattern.tariff_id = span.tariff_id and day_pattern.site = span.site and day_pattern.day = machine_day.day
    where machine_day.day between :first_day and :last_day and collection_id = any(:collections)
    union all
    select span.machine_id, span.from_day, pattern, hourly_wh
    from estimated_days
    join span on span.machine_id = estimated_days.machine_id and estimated_days.day between span.from_day and span.to_day
    join day_pattern on day_pattern.tariff_id = span.tariff_id and day_pattern.site = span.site and day_pattern.day = estimated_days.day
),
summed as (
    select machine_id, from_day, pattern, array[
            sum(hourly_wh[1]), sum(hourly_wh[2]), sum(hourly_wh[3]), sum(hourly_wh[4]), sum(hourly_wh[5]),
            sum(hourly_wh[6]), sum(hourly_wh[7]), sum(hourly_wh[8]), sum(hourly_wh[9]), sum(hourly_wh[10]),
            sum(hourly_wh[11]), sum(hourly_wh[12]), sum(hourly_wh[13]), sum(hourly_wh[14]), sum(hourly_wh[15]),
            sum(hourly_wh[16]), sum(hourly_wh[17]), sum(hourly_wh[18]), sum(hourly_wh[19]), sum(hourly_wh[20]),
            sum(hourly_wh[21]), sum(hourly_wh[22]), sum(hourly_wh[23]), sum(hourly_wh[24]), sum(hourly_wh[25])
        ] as hourly_wh
    from hourly
    group by machine_id, from_day, pattern
),
part as (  -- few rows a span here: one a pattern and band
    select machine_id, from_day, hour.band, hour.price, hour.wh
    from summed
    join (select distinct on (pattern) pattern, bands, prices from hour_price order by pattern) pattern using (pattern)
    cross join lateral (
        select band, min(price) as price, sum(wh) as wh
        from unnest(hourly_wh, bands, prices) as hour (wh, band, price) where band is not null group by band
    ) hour
)
select machine_id, from_day, band, min(price) as price, sum(part.wh)::bigint as wh, coalesce(min(estimated_energy.wh), 0)::bigint as estimated_wh
from part
left join estimated_energy using (machine_id, from_day, band)
group by machine_id, from_day, band
