-- What became of each customer's month, for the report of the run.
select verdict.customer, action, coalesce(month.revision, verdict.revision) as revision, blocked, verdict.currency,
    (select coalesce(sum(amount), 0) from rated where rated.customer = verdict.customer) as amount,
    (select coalesce(sum(wh), 0) from rated where rated.customer = verdict.customer) * 0.001 as kwh
from verdict
left join albacore.customer_month month on month.customer_month_id = verdict.customer_month_id and action = 'keep'
order by customer
