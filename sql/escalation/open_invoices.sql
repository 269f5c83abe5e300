-- What a customer has to pay, for the text of a notice.
select number, due_on, amount_due, currency, payment_link
from albacore.unpaid_document
where customer = :customer
order by due_on, number
