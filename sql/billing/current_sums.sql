-- What the current revisions of a month come to.
select customer, coalesce(sum(wh), 0) * 0.001 as kwh, coalesce(sum(amount), 0) as amount
from albacore.current_customer_month left join albacore.billing_record using (customer_month_id)
where month = :month
group by customer
