-- What each span used, by the accepted collections; days without a row and missing hours are counted, not filled.
create temp table measured on commit drop as
select span.customer, span.site, span.currency, span.machine_id, span.tariff_id, span.from_day, span.to_day,
    coalesce(sum(wh), 0)::bigint as wh, coalesce(sum(estimated_wh), 0)::bigint as estimated_wh,
    span.to_day - span.from_day + 1 - count(machine_day.machine_id) as days_absent,
    coalesce(sum(hours_expected - hours_measured - hours_estimated), 0) as hours_missing,
    coalesce(sum(hours_expected - hours_measured - hours_estimated) filter (where not settled), 0) as hours_awaited
from span
left join (cut join albacore.machine_day using (collection_id, day))
    on cut.site = span.site and machine_day.machine_id = span.machine_id and day between span.from_day and span.to_day
    and day between :first_day and :last_day
group by span.customer, span.site, span.currency, span.machine_id, span.tariff_id, span.from_day, span.to_day
