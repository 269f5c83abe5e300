-- The records of customer-months, summed by what shares a line.
select customer_month_id, coalesce(site, '') as site, price_kind, tariff, band, unit, unit_price, multiplier,
    sum(quantity) as quantity, sum(amount) as amount, sum(wh)::bigint as wh
from albacore.billing_record
where customer_month_id = any(:ids)
group by customer_month_id, site, price_kind, tariff, band, unit, unit_price, multiplier
