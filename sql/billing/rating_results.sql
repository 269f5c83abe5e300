-- What became of each customer's month, for the report of the run.
with owed as (
    select customer, sum(amount) as amount, sum(wh) * 0.001 as kwh from rated_record group by customer
)
select customer, action, coalesce(month.revision, rating_result.revision) as revision, blocked, rating_result.currency,
    coalesce(owed.amount, 0) as amount, coalesce(owed.kwh, 0) as kwh
from rating_result
left join owed using (customer)
left join lateral (
    select revision from albacore.customer_month kept
    where kept.customer_month_id = rating_result.customer_month_id and action = 'keep'
) month on true
order by customer
