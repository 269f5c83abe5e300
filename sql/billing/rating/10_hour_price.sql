-- What each hour of each day costs under the tariffs in use that price by the hour. Per day the hours in UTC order, as
-- in machine_day: `bands` names the band of each (time of use), `prices` what a kWh costs in it. A price that an index
-- lacks is empty. `pattern` is the same for days whose bands are the same.
create temp table hour_price on commit drop as
with hourly as (
    select distinct tariff_id, span.site, tariff.tariff, tariff.kind, tariff.index, tariff.currency, tariff.unit_price
    from span join albacore.tariff using (tariff_id) where tariff.kind in ('time_of_use', 'indexed')
),
hour as (
    select hourly.*, day::date as day, hour_start, extract(isodow from hour_start at time zone timezone) as weekday,
        extract(hour from hour_start at time zone timezone) as hour_of_day
    from hourly
    join albacore.site using (site)
    cross join lateral generate_series(cast(:first_day as timestamp), cast(:last_day as timestamp), interval '1 day') as day
    cross join lateral generate_series(day at time zone timezone, (day + interval '1 day') at time zone timezone - interval '1 hour', interval '1 hour') as hour_start
),
priced_hour as (
    select tariff_id, site, kind, hour.index, day, hour.hour_start,
        case when kind = 'indexed' then hour.index else coalesce(albacore.band_name(band.weekdays, from_hour, to_hour), 'other hours') end as band,
        case when kind = 'indexed' then price_per_kwh + hour.unit_price else coalesce(band.unit_price, hour.unit_price) end as price
    from hour
    left join albacore.current_tariff_band band on kind = 'time_of_use' and band.tariff = hour.tariff
        and weekday = any(band.weekdays) and case
            when from_hour < to_hour then hour_of_day >= from_hour and hour_of_day < to_hour
            else hour_of_day >= from_hour or hour_of_day < to_hour end
    left join albacore.current_price price on price.index = hour.index and price.currency = hour.currency
        and price.hour_start = hour.hour_start
)
select tariff_id, site, kind, min(index) as index, day, array_agg(band order by hour_start) as bands,
    array_agg(price order by hour_start) as prices, array_agg(hour_start order by hour_start) as hours,
    dense_rank() over (order by tariff_id, site, case kind when 'time_of_use' then array_agg(band order by hour_start) end) as pattern
from priced_hour
group by tariff_id, site, kind, day
