-- Customers with an open case or an unpaid document that was sent, as last known, and what keeps each out as a whole.
select customer.customer, name, coalesce(entity.legal_name, 'Albacore') as creditor, customer.email, account_manager, country, language, currency, policy,
    coalesce(stop.reason, '') as stopped, stop.until_at::date as stopped_until
from albacore.known_customer customer
left join albacore.known_entity entity using (entity)
left join (
    select customer, string_agg(reason, '; ' order by kind, reason) as reason, max(until_at) as until_at
    from albacore.customer_stops_at(:now) group by customer
) stop using (customer)
where (cast(:customers as text[]) is null or customer.customer = any(:customers)) and (
    exists (select from albacore.escalation_case where escalation_case.customer = customer.customer and closed_at is null)
    or exists (select from albacore.unpaid_document unpaid where unpaid.customer = customer.customer)
)
order by customer.customer
