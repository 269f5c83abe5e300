-- Customer-months whose energy records do not hold the watt-hours of the machine-days behind them.
with records as (
    select customer_month_id, site, sum(wh)::bigint as wh
    from albacore.current_customer_month join albacore.billing_record using (customer_month_id)
    where price_kind = 'energy' and month between :first_day and :last_day
    group by customer_month_id, site
),
days as (
    select customer_month_id, site, sum(wh)::bigint as wh from albacore.billed_day
    where month between :first_day and :last_day group by customer_month_id, site
)
select month, customer, site, coalesce(records.wh, 0) as records, coalesce(days.wh, 0) as days
from records full join days using (customer_month_id, site)
join albacore.customer_month using (customer_month_id)
where coalesce(records.wh, 0) <> coalesce(days.wh, 0)
order by month, customer, site
