-- The document counts; so do the customer-months that it bills.
with issued as (
    update albacore.document set state = 'issued', as_of = :now, amount_due = total, amount_paid = 0, amount_credited = 0
    where number = :number and state = 'drafted'
    returning document_id
)
update albacore.customer_month set state = case when revision = 1 then 'invoiced' else 'corrected' end
where customer_month_id in (
    select line.customer_month_id from albacore.document_line line join issued using (document_id)
)
