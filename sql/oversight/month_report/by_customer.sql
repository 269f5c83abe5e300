-- Energy and money of a month, by customer and currency, with the month before. Rated: exact, before tax; invoiced: all
-- documents of the month, before tax. A customer of the month before who has nothing now is listed too.
with record as (
    select month, customer, currency, sum(kwh) as kwh, sum(estimated_kwh) as estimated_kwh, sum(amount) as amount,
        coalesce(sum(amount) filter (where price_kind = 'energy'), 0) as energy
    from report.billing_records where month in (:month, :before) group by month, customer, currency
),
document as (
    select customer, currency, sum(subtotal) as invoiced, string_agg(number, ', ' order by number) as numbers
    from report.invoices where month = :month group by customer, currency
),
billed as (
    select customer, coalesce(now.currency, before.currency) as currency, now.kwh, now.estimated_kwh, now.amount, now.energy,
        before.kwh as kwh_before, before.amount as amount_before, before.energy as energy_before
    from (select * from record where month = :month) now
    full join (select * from record where month = :before) before using (customer, currency)
),
listed as (
    select customer, state, reason, currency, kwh, estimated_kwh, amount, energy, kwh_before, amount_before, energy_before
    from (select * from report.customer_months where month = :month) months full join billed using (customer)
)
select listed.customer, known.name, coalesce(state, 'no machines') as state, coalesce(reason, '') as reason,
    coalesce(listed.currency, known.currency) as currency, kwh, estimated_kwh, amount, energy, invoiced, numbers,
    kwh_before, amount_before, energy_before
from listed
left join document on document.customer = listed.customer and document.currency = listed.currency
left join albacore.known_customer known on known.customer = listed.customer
order by currency, listed.customer
