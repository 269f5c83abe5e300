-- What a month's documents come to, by currency, with those of the month before.
select currency, count(distinct customer) filter (where month = :month) as customers,
    count(*) filter (where month = :month) as documents,
    coalesce(sum(subtotal) filter (where month = :month), 0) as subtotal,
    coalesce(sum(tax) filter (where month = :month), 0) as tax,
    coalesce(sum(total) filter (where month = :month), 0) as total,
    coalesce(sum(amount_due) filter (where month = :month and kind <> 'credit_note'), 0) as due,
    sum(subtotal) filter (where month = :before) as subtotal_before
from report.invoices where month in (:month, :before)
group by currency
order by currency
