-- Documents with what Xero is told and whom it concerns, and the invoice against which a credit note may be set.
select document.number, document.kind, document.payload, document.xero_id, xero_contact.contact_id,
    (
        select invoice.xero_id from albacore.unpaid_document invoice
        where invoice.customer = document.customer and invoice.currency = document.currency
        order by invoice.month = document.month desc, invoice.due_on
        limit 1
    ) as allocate_to
from albacore.document
left join albacore.xero_contact using (customer)
where document.number = any(:numbers)
