-- Customer-months that wait for a document, with the revision before that has one, and the customer as last known.
-- Corrections that wait for the next invoice come whatever their month.
select month.customer_month_id, month.month, month.customer, month.revision, month.waits, before.customer_month_id as before_id,
    coalesce(first_document.number, '') as corrects, customer.currency, customer.entity, customer.payment_terms_days,
    customer.tax_type,
    case when albacore.expects_invoice(month.customer, cast(:today as date)) then (policy.definition -> 'carry_below' ->> customer.currency)::numeric end
        as carry_below
from albacore.customer_month month
left join albacore.customer_month before on before.customer = month.customer and before.month = month.month
    and before.revision = month.revision - 1
left join lateral (
    select number from albacore.document
    where document.customer = month.customer and document.month = month.month
    order by revision limit 1
) first_document on true
join albacore.known_customer customer on customer.customer = month.customer
left join albacore.policies_on(:today) policy on policy.policy = customer.policy
where month.state = 'ready' and month.frozen_at is null and month.waits is distinct from 'review'
    and (cast(:month as date) is null or month.month = :month or month.waits = 'carry')
order by month.month, month.customer, month.revision
for update of month
