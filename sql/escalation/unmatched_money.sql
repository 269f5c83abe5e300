-- Money of customers who are overdue that can't be set against what they owe: in another currency or at another entity,
-- or on a contact that several customers share. Each is told once.
select distinct customer.customer, customer.country, credit.xero_id, credit.kind, credit.remaining, credit.currency
from albacore.unapplied_credit credit
join albacore.xero_contact contact on contact.contact_id = credit.contact_id
join albacore.known_customer customer on customer.customer = contact.customer
where exists (
    select from albacore.unpaid_document unpaid
    where unpaid.customer = customer.customer and unpaid.due_on < cast(:now as timestamptz)::date
) and (
    credit.customer is null
    or (credit.currency, credit.entity) is distinct from (customer.currency, customer.entity)
) and not exists (
    select from albacore.hold
    where hold.customer = customer.customer and hold.kind = 'unapplied' and hold.reason like '%' || credit.xero_id || '%'
)
order by customer.customer, credit.xero_id
