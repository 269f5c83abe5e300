-- What customers owe: issued, sent to them, and open by Xero's last word.
select document.customer, document.number, document.due_on, document.amount_due, document.as_of,
    exists (
        select from albacore.hold
        where hold.number = document.number and released_at is null and from_at <= :now and until_at > :now
    ) as held
from albacore.document
join albacore.effect mail on mail.business_key = 'mail:document:' || document.number and mail.state = 'done'
where document.state = 'issued' and document.kind <> 'credit_note' and document.amount_due > 0
    and document.customer = any(:customers)
order by document.customer, document.due_on
