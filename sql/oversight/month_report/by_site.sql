-- Energy of a month, by site: measured, billed and not billed, hours, and what was measured the month before.
with measured as (
    select site, sum(kwh) as kwh, count(distinct machine) as machines,
        sum(hours_expected - hours_measured - hours_estimated) as hours_missing, sum(hours_estimated) as hours_estimated
    from report.machine_days where day between :first_day and :last_day group by site
),
before as (
    select site, sum(kwh) as kwh from report.machine_days where day between :first_before and :last_before group by site
),
billed as (
    select site, sum(kwh) as kwh from report.billing_records where month = :month and price_kind = 'energy' group by site
),
unbilled as (
    select site, sum(kwh) as kwh from report.unbilled where month = :month group by site
)
select site, machines, measured.kwh, coalesce(billed.kwh, 0) as billed, coalesce(unbilled.kwh, 0) as unbilled,
    hours_missing, hours_estimated, before.kwh as kwh_before
from measured left join billed using (site) left join unbilled using (site) left join before using (site)
order by site
