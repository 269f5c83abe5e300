-- A month by customer, as it stands before it goes out: kWh, price per kWh and total beside the average of up to three
-- months before. What needs a person comes first.
with newest as (
    select * from albacore.newest_customer_month where month = :month
),
before as (
    select customer, avg(rated_wh) * 0.001 as kwh, sum(rated_amount) / nullif(sum(rated_wh), 0) * 1000 as price,
        avg(rated_amount) as total
    from albacore.current_customer_month
    where month < :month and month >= cast(:month as date) - interval '3 months'
    group by customer
)
select newest.customer, newest.revision, newest.state, newest.waits, newest.reason, newest.currency,
    rated_wh * 0.001 as kwh, rated_amount / nullif(rated_wh, 0) * 1000 as price, rated_amount as total,
    before.kwh as kwh_before, before.price as price_before, before.total as total_before
from newest left join before using (customer)
order by newest.state <> 'blocked', newest.waits is distinct from 'review', newest.customer
