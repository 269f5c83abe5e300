-- Documents that Xero holds, to be read again, the longest unread first: those that are open or differ; with :all also
-- those that are settled; with :numbers just these.
select document_id, number, kind, customer, currency, total, issued_on, due_on, xero_id, state, contact_id,
    coalesce(payload -> 'lines', '[]') as lines
from albacore.document left join albacore.xero_contact using (customer)
where xero_id is not null and state in ('issued', 'paid', 'voided') and case
        when cast(:numbers as text[]) is not null then number = any(:numbers)
        else :all or state = 'issued' or number in (select number from albacore.edited_document)
    end
order by as_of nulls first, number
