-- What the mail of a document needs.
select number, kind, month, total, document.currency, due_on, payment_link, statement, customer.name, customer.email
from albacore.document
join albacore.known_customer customer using (customer)
where number = :number
