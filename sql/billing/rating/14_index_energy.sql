-- The energy of spans whose price follows an index, and what it comes to: each hour's Wh times that hour's price.
create temp table index_energy on commit drop as
with day_price as (
    select tariff_id, site, day, prices from hour_price where kind = 'indexed'
),
hourly as (
    select span.machine_id, span.from_day, prices, hourly_wh
    from albacore.machine_day
    join span on span.machine_id = machine_day.machine_id and machine_day.day between span.from_day and span.to_day
    join day_price on day_price.tariff_id = span.tariff_id and day_price.site = span.site and day_price.day = machine_day.day
    where machine_day.day between :first_day and :last_day and collection_id = any(:collections)
    union all
    select span.machine_id, span.from_day, prices, hourly_wh
    from estimated_days
    join span on span.machine_id = estimated_days.machine_id and estimated_days.day between span.from_day and span.to_day
    join day_price on day_price.tariff_id = span.tariff_id and day_price.site = span.site and day_price.day = estimated_days.day
),
summed as (
    select machine_id, from_day, sum(total.wh_price) as wh_price, sum(total.wh)::bigint as wh
    from hourly
    cross join lateral (
        select sum(hour.wh * hour.price) as wh_price, sum(hour.wh) as wh from unnest(hourly_wh, prices) as hour (wh, price)
    ) total
    group by machine_id, from_day
)
select machine_id, from_day, wh_price, summed.wh, coalesce(estimated_energy.wh, 0)::bigint as estimated_wh
from summed left join estimated_energy using (machine_id, from_day)
