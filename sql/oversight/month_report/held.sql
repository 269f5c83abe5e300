-- What keeps a month's documents from going out or from being reminded, with its reason.
select customer, '' as number, waits as what, reason from report.customer_months where month = :month and waits is not null
union all
select invoice.customer, invoice.number, 'parked', coalesce(effect.error, '')
from report.invoices invoice
left join albacore.effect on effect.number = invoice.number and effect.state = 'parked'
where invoice.month = :month and invoice.state = 'parked'
union all
select customer, coalesce(number, ''), kind, format('%s (%s)', reason, owner)
from albacore.holds_at(:as_of)
where number in (select number from report.invoices where month = :month)
    or (number is null and customer in (select customer from report.invoices where month = :month))
order by customer, number, what
