-- What the current revisions of a month come to, and what the newest one with a document came to (empty: none has one).
with sums as (
    select customer_month_id, customer, revision, frozen_at, coalesce(sum(wh), 0) * 0.001 as kwh,
        coalesce(sum(amount), 0) as amount
    from albacore.customer_month left join albacore.billing_record using (customer_month_id)
    where month = :month
    group by customer_month_id
),
documented as (
    select distinct on (customer) customer, amount from sums where frozen_at is not null order by customer, revision desc
)
select sums.customer, sums.kwh, sums.amount, documented.amount as documented
from sums
join albacore.current_customer_month using (customer_month_id)
left join documented on documented.customer = sums.customer
