-- What a customer has to pay, for the text of a notice.
select number, due_on, amount_due, currency, payment_link
from albacore.document
where customer = :customer and state = 'issued' and kind <> 'credit_note' and amount_due > 0
order by due_on, number
