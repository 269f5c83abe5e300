-- Missing hours that may be estimated: of machines of customers whose policy allows so many in a month, on days for
-- which nothing more can arrive, and unless a person accepted the gap. The rule: the mean of the same hour of the clock
-- on the day before and the day after, where measured, capped at the machine's rating; without either, no estimate.
create temp table estimated_days on commit drop as
with allowed as (
    select customer, hours from customer_policy where hours > 0
),
hole as (
    select span.machine_id, accepted_readings.site, machine_day.day, machine_day.collection_id, number, hours_expected, hourly_quality,
        allowed.hours as allowed, count(*) over (partition by span.customer, span.machine_id) as missing,
        extract(hour from ((machine_day.day::timestamp at time zone site.timezone) + (number - 1) * interval '1 hour')
            at time zone site.timezone)::integer as hour_of_day
    from allowed
    join span using (customer)
    join accepted_readings on accepted_readings.site = span.site and accepted_readings.day between span.from_day and span.to_day and settled
    join albacore.machine_day on machine_day.collection_id = accepted_readings.collection_id and machine_day.day = accepted_readings.day
        and machine_day.machine_id = span.machine_id
    join albacore.site on site.site = accepted_readings.site
    cross join lateral generate_series(1, hours_expected) as number
    where machine_day.hours_measured + machine_day.hours_estimated < hours_expected
        and substr(hourly_quality, number, 1) = 'x'
        and not exists (
            select from albacore.accepted_gap gap where gap.machine_id = span.machine_id and gap.day = machine_day.day
        )
),
filled as (
    select hole.machine_id, hole.day, hole.collection_id, hole.number, hole.hours_expected, hole.hourly_quality,
        least(round(avg(neighbour.wh))::integer, coalesce(rating.rated_watts, machine.rated_watts)) as wh
    from hole
    join albacore.machine using (machine_id)
    left join albacore.current_machine_rating rating on rating.machine_id = hole.machine_id
    cross join lateral (
        select day.hourly_wh[position] as wh
        from (values (hole.day - 1), (hole.day + 1)) as side (day)
        join albacore.accepted_collection accepted on accepted.site = hole.site and accepted.day = side.day
        join albacore.machine_day day on day.collection_id = accepted.collection_id and day.day = accepted.day
            and day.machine_id = hole.machine_id
        join albacore.site on site.site = hole.site
        cross join lateral (
            select min(number) as position from generate_series(1, day.hours_expected) as number
            where extract(hour from ((side.day::timestamp at time zone site.timezone) + (number - 1) * interval '1 hour')
                at time zone site.timezone) = hole.hour_of_day
        ) same
        where substr(day.hourly_quality, position, 1) in ('m', 'i')
    ) neighbour
    where hole.missing <= hole.allowed
    group by hole.machine_id, hole.day, hole.collection_id, hole.number, hole.hours_expected, hole.hourly_quality,
        rating.rated_watts, machine.rated_watts
)
select machine_id, day, collection_id, array_agg(coalesce(filled.wh, 0) order by number) as hourly_wh,
    string_agg(case when filled.wh is null then substr(hourly_quality, number, 1) else 'e' end, '' order by number) as hourly_quality,
    count(filled.wh)::smallint as hours, sum(filled.wh)::bigint as wh
from (select distinct machine_id, day, collection_id, hours_expected, hourly_quality from filled) machine_day
cross join lateral generate_series(1, hours_expected) as number
left join filled using (machine_id, day, collection_id, number, hours_expected, hourly_quality)
group by machine_id, day, collection_id
