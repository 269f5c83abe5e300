-- Customer-months whose records, rounded by line, differ from what all lines of all documents billed for them.
with line as (
    select customer_month_id, sum(amount) as amount
    from (
        select customer_month_id, round(line_group.amount, :minor_units) as amount
        from albacore.current_customer_month current join albacore.line_group using (customer_month_id)
        where frozen_at is not null and current.month between :first_day and :last_day and current.currency = any(:currencies)
    ) lines
    group by customer_month_id
),
billed as (
    select customer, month, sum(line.amount) as amount
    from albacore.document_line line join albacore.customer_month using (customer_month_id)
    where month between :first_day and :last_day
    group by customer, month
)
select current.month, current.customer, coalesce(line.amount, 0) as records, coalesce(billed.amount, 0) as billed
from albacore.current_customer_month current
left join line using (customer_month_id)
left join billed on billed.customer = current.customer and billed.month = current.month
where frozen_at is not null and current.month between :first_day and :last_day and current.currency = any(:currencies)
    and coalesce(line.amount, 0) <> coalesce(billed.amount, 0)
order by current.month, current.customer
