-- Energy per site and day that is not in exactly one place: measured against billed plus unbilled.
with measured as (
    select site, day, sum(wh)::bigint as wh
    from albacore.known_day
    where day between :first_day and :last_day
    group by site, day
),
billed as (
    select site, day, sum(wh)::bigint as wh from albacore.billed_day where day between :first_day and :last_day group by site, day
),
unbilled as (
    select site, day, sum(kwh * 1000)::bigint as wh from report.unbilled where day between :first_day and :last_day group by site, day
)
select site, day, coalesce(measured.wh, 0) as measured, coalesce(billed.wh, 0) as billed, coalesce(unbilled.wh, 0) as unbilled
from measured full join billed using (site, day) full join unbilled using (site, day)
where coalesce(measured.wh, 0) <> coalesce(billed.wh, 0) + coalesce(unbilled.wh, 0)
order by site, day
