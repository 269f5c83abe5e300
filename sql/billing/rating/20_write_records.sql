-- Their records.
insert into albacore.billing_record (customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, band, quantity, unit,
    unit_price, averaged, multiplier, currency, amount, wh, measured_wh, estimated_wh)
select month.customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, band, quantity, unit, unit_price,
    averaged, multiplier, rated_record.currency, amount, wh, measured_wh, estimated_wh
from rating_result
join albacore.customer_month month on month.customer = rating_result.customer and month.month = :first_day
    and month.revision = rating_result.revision
join rated_record on rated_record.customer = rating_result.customer
where action in ('open', 'rewrite') and blocked is null
