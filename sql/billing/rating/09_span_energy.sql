-- What each span used, by the accepted collections; days without a row and missing hours are counted, not filled.
-- The collections come as a parameter: a join would hide from the planner how many rows there are. Few machine-days lack
-- hours or hold estimates; an index finds those, and the many are read no further than to their sum.
create temp table span_energy on commit drop as
with used as (
    select span.machine_id, span.from_day, sum(wh)::bigint as wh, count(*) as days
    from albacore.machine_day
    join span on span.machine_id = machine_day.machine_id and day between span.from_day and span.to_day
    where day between :first_day and :last_day and collection_id = any(:collections)
    group by span.machine_id, span.from_day
),
incomplete as (
    select span.machine_id, span.from_day, sum(estimated_wh)::bigint as estimated_wh,
        sum(hours_expected - hours_measured - hours_estimated) as hours_missing,
        sum(hours_expected - hours_measured - hours_estimated) filter (where not settled) as hours_awaited
    from accepted_readings
    join albacore.machine_day using (collection_id, day)
    join span on span.machine_id = machine_day.machine_id and day between span.from_day and span.to_day
    where day between :first_day and :last_day
        and (hours_measured + hours_estimated < hours_expected or estimated_wh > 0)
    group by span.machine_id, span.from_day
),
estimated as (
    select span.machine_id, span.from_day, sum(wh)::bigint as wh, sum(hours) as hours
    from estimated_days join span on span.machine_id = estimated_days.machine_id and day between span.from_day and span.to_day
    group by span.machine_id, span.from_day
)
select span.customer, span.site, span.currency, span.machine_id, span.tariff_id, span.kind, span.stretch,
    span.from_day, span.to_day, coalesce(used.wh, 0) + coalesce(estimated.wh, 0) as wh,
    coalesce(estimated_wh, 0) + coalesce(estimated.wh, 0) as estimated_wh,
    span.to_day - span.from_day + 1 - coalesce(days, 0) as days_absent,
    coalesce(hours_missing, 0) - coalesce(estimated.hours, 0) as hours_missing, coalesce(hours_awaited, 0) as hours_awaited
from span
left join used using (machine_id, from_day)
left join incomplete using (machine_id, from_day)
left join estimated using (machine_id, from_day)
