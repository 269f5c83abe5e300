-- The energy of spans whose tariff prices by the hour: with time of use a row a band, with an index one row whose amount
-- is summed hour by hour. Hours of days with equal bands are added up first, each by its place in the day; the others
-- can't be. Estimates are machine-days of their own here.
create temp table by_hour on commit drop as
with used as (
    select machine_id, day, hourly_wh, case when estimated_wh > 0 then hourly_quality end as quality
    from albacore.machine_day where day between :first_day and :last_day and collection_id = any(:collections)
    union all
    select machine_id, day, hourly_wh, hourly_quality from estimable
),
daily as (
    select span.machine_id, span.from_day, span.tariff_id, span.kind, hour_price.day, pattern, bands, prices, hourly_wh, quality
    from span
    join hour_price on hour_price.tariff_id = span.tariff_id and hour_price.site = span.site
        and hour_price.day between span.from_day and span.to_day
    join used on used.machine_id = span.machine_id and used.day = hour_price.day
),
summed as (
    select machine_id, from_day, pattern, array[
            sum(hourly_wh[1]), sum(hourly_wh[2]), sum(hourly_wh[3]), sum(hourly_wh[4]), sum(hourly_wh[5]),
            sum(hourly_wh[6]), sum(hourly_wh[7]), sum(hourly_wh[8]), sum(hourly_wh[9]), sum(hourly_wh[10]),
            sum(hourly_wh[11]), sum(hourly_wh[12]), sum(hourly_wh[13]), sum(hourly_wh[14]), sum(hourly_wh[15]),
            sum(hourly_wh[16]), sum(hourly_wh[17]), sum(hourly_wh[18]), sum(hourly_wh[19]), sum(hourly_wh[20]),
            sum(hourly_wh[21]), sum(hourly_wh[22]), sum(hourly_wh[23]), sum(hourly_wh[24]), sum(hourly_wh[25])
        ] as hourly_wh
    from daily where kind = 'time_of_use'
    group by machine_id, from_day, pattern
),
banded as (
    select machine_id, from_day, band, min(price) as price, sum(wh)::bigint as wh
    from summed
    join (select distinct on (pattern) pattern, bands, prices from hour_price order by pattern) pattern using (pattern)
    cross join lateral unnest(hourly_wh, bands, prices) as hour (wh, band, price)
    where band is not null
    group by machine_id, from_day, band
),
guessed as (
    select machine_id, from_day, case kind when 'time_of_use' then band end as band, sum(wh)::bigint as wh
    from daily cross join lateral unnest(hourly_wh, bands, regexp_split_to_array(quality, '')) as hour (wh, band, quality)
    where daily.quality is not null and hour.quality = 'e'
    group by machine_id, from_day, case kind when 'time_of_use' then band end
)
select machine_id, from_day, band, price, null::numeric as wh_price, banded.wh, coalesce(guessed.wh, 0) as estimated_wh
from banded left join guessed using (machine_id, from_day, band)
union all
select machine_id, from_day, null, null, wh_price, indexed.wh, coalesce(guessed.wh, 0)
from (
    select machine_id, from_day, sum(total.wh_price) as wh_price, sum(total.wh)::bigint as wh
    from daily
    cross join lateral (
        select sum(hour.wh * hour.price) as wh_price, sum(hour.wh) as wh from unnest(hourly_wh, prices) as hour (wh, price)
    ) total
    where kind = 'indexed'
    group by machine_id, from_day
) indexed
left join guessed using (machine_id, from_day)
