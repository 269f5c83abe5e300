-- Customers with an open case or an open document, as last known.
select customer.customer, name, email, account_manager, country, currency, policy, open_case.case_id
from albacore.known_customer customer
left join albacore.escalation_case open_case on open_case.customer = customer.customer and closed_at is null
where (cast(:customer as text) is null or customer.customer = :customer) and (
    open_case.case_id is not null or exists (
        select from albacore.document
        where document.customer = customer.customer and state = 'issued' and kind <> 'credit_note'
    )
)
order by customer.customer
