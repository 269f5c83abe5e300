-- Their records.
insert into albacore.billing_record (customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, band, quantity, unit,
    unit_price, averaged, multiplier, currency, amount, wh, measured_wh, estimated_wh)
select month.customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, band, quantity, unit, unit_price,
    averaged, multiplier, rated.currency, amount, wh, measured_wh, estimated_wh
from verdict
join albacore.customer_month month on month.customer = verdict.customer and month.month = :first_day
    and month.revision = verdict.revision
join rated on rated.customer = verdict.customer
where action in ('open', 'rewrite') and blocked is null
