-- A customer's first revision of a month that is out of line with the average of up to three months before waits for a
-- person: kWh per machine-day, price per kWh, or total are more than the policy's factor away.
with before as (
    select customer, avg(rated_amount) as total,
        sum(rated_wh) / nullif(sum(rated_machine_days), 0) as wh_per_day, sum(rated_amount) / nullif(sum(rated_wh), 0) as price
    from albacore.current_customer_month
    where month < :first_day and month >= cast(:first_day as date) - interval '3 months'
    group by customer
),
compared as (
    select month.customer_month_id, side.*
    from albacore.customer_month month
    join rating_result using (customer)
    join before using (customer)
    join customer_policy using (customer)
    cross join lateral (values
        (1, 'kWh per machine-day', rated_wh / nullif(rated_machine_days, 0)::numeric, before.wh_per_day),
        (2, 'the price per kWh', rated_amount / nullif(rated_wh, 0), before.price),
        (3, 'the total', rated_amount, before.total)
    ) side (position, name, now, before)
    where month.month = :first_day and month.revision = rating_result.revision and month.revision = 1 and month.state = 'ready'
        and action in ('open', 'rewrite') and review_factor > 0 and side.before > 0
        and (side.now > side.before * review_factor or side.now < side.before / review_factor)
)
update albacore.customer_month month set waits = 'review', reason = outlier.reason
from (
    select customer_month_id, 'to be reviewed: ' || string_agg(format('%s is %s times the months before', name, round(now / before, 2)), ', ' order by position) as reason
    from compared group by customer_month_id
) outlier
where month.customer_month_id = outlier.customer_month_id
