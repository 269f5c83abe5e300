-- What each span used, by the accepted collections; days without a row and missing hours are counted, not filled.
-- The collections come as a parameter: a join would hide from the planner how many rows there are.
create temp table measured on commit drop as
with used as (
    select span.machine_id, span.from_day, sum(wh)::bigint as wh, sum(estimated_wh)::bigint as estimated_wh,
        count(*) as days, sum(hours_expected - hours_measured - hours_estimated) as hours_missing
    from albacore.machine_day
    join span on span.machine_id = machine_day.machine_id and day between span.from_day and span.to_day
    where day between :first_day and :last_day and collection_id = any(:collections)
    group by span.machine_id, span.from_day
),
guessed as (
    select span.machine_id, span.from_day, sum(wh)::bigint as wh, sum(hours) as hours
    from estimable join span on span.machine_id = estimable.machine_id and day between span.from_day and span.to_day
    group by span.machine_id, span.from_day
),
awaited as (
    select span.machine_id, span.from_day, sum(hours_expected - hours_measured - hours_estimated) as hours
    from cut
    join albacore.machine_day using (collection_id, day)
    join span on span.machine_id = machine_day.machine_id and day between span.from_day and span.to_day
    where not settled and hours_measured + hours_estimated < hours_expected
    group by span.machine_id, span.from_day
)
select span.customer, span.site, span.currency, span.machine_id, span.tariff_id, span.kind, span.stretch,
    span.from_day, span.to_day, coalesce(used.wh, 0) + coalesce(guessed.wh, 0) as wh,
    coalesce(estimated_wh, 0) + coalesce(guessed.wh, 0) as estimated_wh,
    span.to_day - span.from_day + 1 - coalesce(days, 0) as days_absent,
    coalesce(hours_missing, 0) - coalesce(guessed.hours, 0) as hours_missing, coalesce(awaited.hours, 0) as hours_awaited
from span
left join used using (machine_id, from_day)
left join guessed using (machine_id, from_day)
left join awaited using (machine_id, from_day)
