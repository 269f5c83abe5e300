-- What each span used, by the accepted collections; days without a row and missing hours are counted, not filled.
create temp table measured on commit drop as
with used as (
    select span.machine_id, span.from_day, sum(wh) as wh, sum(estimated_wh) as estimated_wh, count(*) as days,
        sum(hours_expected - hours_measured - hours_estimated) as hours_missing,
        sum(hours_expected - hours_measured - hours_estimated) filter (where not settled) as hours_awaited
    from albacore.machine_day
    join cut using (collection_id, day)
    join span on span.machine_id = machine_day.machine_id and day between span.from_day and span.to_day
    where day between :first_day and :last_day
    group by span.machine_id, span.from_day
)
select span.customer, span.site, span.currency, span.machine_id, span.tariff_id, span.from_day, span.to_day,
    coalesce(wh, 0)::bigint as wh, coalesce(estimated_wh, 0)::bigint as estimated_wh,
    span.to_day - span.from_day + 1 - coalesce(days, 0) as days_absent,
    coalesce(hours_missing, 0) as hours_missing, coalesce(hours_awaited, 0) as hours_awaited
from span left join used using (machine_id, from_day)
