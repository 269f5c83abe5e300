-- Energy of a month, by site: measured, billed, and not billed with its reason.
with measured as (
    select site, sum(kwh) as kwh, sum(hours_expected - hours_measured - hours_estimated) as hours_missing, sum(hours_estimated) as hours_estimated
    from report.machine_days where day between :first_day and :last_day group by site
),
billed as (
    select site, sum(kwh) as kwh from report.billing_records where month = :month and price_kind = 'energy' group by site
),
unbilled as (
    select site, sum(kwh) as kwh, string_agg(format('%s: %s kWh', reason, round(kwh, 3)), ', ' order by reason) as reasons
    from (select site, reason, sum(kwh) as kwh from report.unbilled where month = :month group by site, reason) reason
    group by site
)
select site, measured.kwh, billed.kwh as billed, coalesce(unbilled.kwh, 0) as unbilled, coalesce(reasons, '') as reasons,
    hours_missing, hours_estimated
from measured left join billed using (site) left join unbilled using (site)
order by site
