-- The records of customer-months, summed by what shares a line.
select customer_month_id, site, price_kind, tariff, band, unit, price, multiplier, quantity, amount, wh
from albacore.line_group
where customer_month_id = any(:ids)
