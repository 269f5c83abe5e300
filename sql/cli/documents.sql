-- Documents as finance sees them; without a month or a customer: all.
select number, customer, month, kind, total, currency, amount_due, state, payment_link
from report.invoices
where (cast(:month as text) is null or month = :month) and (cast(:customer as text) is null or customer = :customer)
order by number
