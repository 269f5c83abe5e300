-- Whose month can't be rated yet, and why: a span without a tariff, hours that an index has no price for, or hours that
-- are neither known nor accepted. The policy's tolerance is for hours that stay missing; those that may still arrive are
-- waited for.
create temp table blocked_customer on commit drop as
with forgiven as (
    select span_energy.customer, gap.machine_id, count(*) filter (where known.machine_id is null) as days,
        coalesce(sum(hours_expected - hours_measured - hours_estimated), 0) as hours
    from albacore.accepted_gap gap
    join span_energy using (machine_id)
    left join accepted_readings on accepted_readings.site = span_energy.site and accepted_readings.day = gap.day
    left join albacore.machine_day known on known.collection_id = accepted_readings.collection_id and known.day = gap.day
        and known.machine_id = gap.machine_id
    where gap.day between span_energy.from_day and span_energy.to_day
    group by span_energy.customer, gap.machine_id
),
incomplete as (
    select customer, site, machine_id, min(from_day) as from_day, max(to_day) as to_day,
        sum(days_absent) - coalesce(max(forgiven.days), 0) as days_absent,
        sum(hours_missing) - coalesce(max(forgiven.hours), 0) as hours_missing,
        least(sum(hours_awaited), sum(hours_missing) - coalesce(max(forgiven.hours), 0)) as hours_awaited
    from span_energy left join forgiven using (customer, machine_id)
    where days_absent > 0 or hours_missing > 0
    group by customer, site, machine_id
),
unpriced as (
    select distinct span.customer, hour_price.index, hour.hour_start
    from span
    join hour_price on hour_price.tariff_id = span.tariff_id and hour_price.site = span.site
        and hour_price.day between span.from_day and span.to_day
    cross join lateral unnest(hours, prices) as hour (hour_start, price)
    where hour_price.kind = 'indexed' and array_position(prices, null) is not null and hour.price is null
),
first_gap as (
    select distinct on (customer) incomplete.*,
        count(*) over (partition by customer) as machines, sum(days_absent) over (partition by customer) as days,
        sum(hours_missing) over (partition by customer) as hours
    from incomplete join customer_policy using (customer)
    where days_absent > 0 or hours_awaited > 0 or hours_missing > unbilled_hours
    order by customer, days_absent desc, site, machine_id
)
select customer, format('no price of %s for %s hours, first %s UTC: add them to prices.csv', min(index), count(*),
    to_char(min(hour_start), 'YYYY-MM-DD HH24:MI')) as reason
from unpriced where customer not in (select customer from span where tariff_id is null) group by customer
union all
select customer, format('no tariff at %s from %s on: add a row to tariffs.csv', min(site), min(from_day)) as reason
from span where tariff_id is null group by customer
union all
select customer, format('%s machine-days not collected and %s hours missing on %s machines, first %s at %s on %s',
    days, hours, machines, machine.machine, first_gap.site,
    (select min(series.day)::date from generate_series(from_day, to_day, interval '1 day') as series (day)
     where not exists (
        select from accepted_readings join albacore.machine_day known using (collection_id, day)
        where accepted_readings.site = first_gap.site and accepted_readings.day = series.day::date and known.machine_id = first_gap.machine_id
            and hours_measured + hours_estimated = hours_expected)
        and not exists (
            select from estimated_days
            where estimated_days.machine_id = first_gap.machine_id and estimated_days.day = series.day::date
                and position('x' in estimated_days.hourly_quality) = 0)))
from first_gap join albacore.machine using (machine_id)
where customer not in (select customer from span where tariff_id is null union select customer from unpriced)
