-- Money of a month, by site and currency, with the month before: exact, before tax. What no site bears (minimums) has an
-- empty site.
with record as (
    select month, coalesce(site, '') as site, currency, sum(kwh) as kwh, sum(amount) as amount,
        coalesce(sum(amount) filter (where price_kind = 'energy'), 0) as energy
    from report.billing_records where month in (:month, :before) group by month, site, currency
)
select site, currency, now.kwh, now.amount, now.energy, before.kwh as kwh_before, before.amount as amount_before,
    before.energy as energy_before
from (select * from record where month = :month) now
full join (select * from record where month = :before) before using (site, currency)
order by currency, site = '', site
