-- What the mail of a document needs.
select number, kind, month, total, currency, due_on, payment_link, statement, customer.name, customer.email
from albacore.document
join lateral (
    select name, email from albacore.customer known where known.customer = document.customer
    order by until_version desc nulls first limit 1
) customer on true
where number = :number
