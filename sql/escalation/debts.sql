-- What customers owe on documents that were sent to them.
select customer, number, due_on, amount_due, as_of,
    exists (select from albacore.holds_at(:now) hold where hold.number = document.number) as held
from albacore.unpaid_document document
where customer = any(:customers) and number in (select number from albacore.sent_document)
order by customer, due_on
