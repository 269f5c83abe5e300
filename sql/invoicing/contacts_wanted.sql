-- Customers of documents that are on their way, as last known.
select customer, legal_name, email, address, vat_number, country, xero_contact.details_sha256
from albacore.known_customer
left join albacore.xero_contact using (customer)
where exists (
    select from albacore.document
    where document.customer = known_customer.customer and state = 'prepared'
        and albacore.may_leave(to_char(month, 'YYYY-MM'), :live_from)
)
order by customer
