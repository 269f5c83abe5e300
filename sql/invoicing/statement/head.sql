-- A document with whom it is between, as last known.
select document.number, document.kind, document.month, document.currency, document.subtotal, document.tax, document.total,
    document.issued_on, document.due_on, document.payment_link, document.customer_month_id, document.entity,
    document.customer, customer.legal_name, customer.address, customer.vat_number,
    entity.legal_name as our_name, entity.address as our_address, entity.vat_number as our_vat_number, entity.email as our_email
from albacore.document
join albacore.known_customer customer on customer.customer = document.customer
left join albacore.known_entity entity on entity.entity = document.entity
where number = :number
