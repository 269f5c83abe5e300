-- Customers of documents that are on their way, as last known.
select distinct on (customer.customer) customer.customer, customer.legal_name, customer.email,
    customer.address, customer.vat_number, customer.country, xero_contact.details_sha256
from albacore.document
join albacore.customer using (customer)
left join albacore.xero_contact using (customer)
where document.state = 'prepared' and (:live_from = '' or to_char(document.month, 'YYYY-MM') >= :live_from)
order by customer.customer, customer.until_version desc nulls first
