-- Documents that Xero holds, to be read again; with :all also those that are settled.
select document_id, number, kind, customer, currency, total, due_on, xero_id, state, contact_id
from albacore.document left join albacore.xero_contact using (customer)
where xero_id is not null and (state = 'issued' or (:all and state in ('issued', 'paid', 'voided')))
order by number
