-- Energy and money of a month, by customer, with the month before. Rated: exact; invoiced: all documents, before tax.
with record as (
    select month, customer, currency, sum(kwh) as kwh, sum(estimated_kwh) as estimated_kwh, sum(amount) as amount
    from report.billing_records where month in (:month, :before) group by month, customer, currency
),
document as (
    select customer, sum(subtotal) as invoiced, string_agg(number, ', ' order by number) as numbers
    from report.invoices where month = :month group by customer
)
select months.customer, months.state, months.reason, now.currency, now.kwh, now.estimated_kwh, now.amount,
    document.invoiced, document.numbers, before.kwh as kwh_before, before.amount as amount_before
from report.customer_months months
left join record now on now.customer = months.customer and now.month = :month
left join record before on before.customer = months.customer and before.month = :before
left join document on document.customer = months.customer
where months.month = :month
order by months.customer
