-- Issued invoices whose payment link is not known yet.
select number, xero_id from albacore.document
where state in ('issued', 'paid') and kind <> 'credit_note' and payment_link is null
order by number
