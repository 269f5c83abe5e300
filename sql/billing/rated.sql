-- One record per customer, machine, span and price: exact, rounded nowhere.
create temp table rated on commit drop as
with priced as (
    select measured.customer, measured.site, machine_id, measured.from_day, measured.to_day, 'energy' as price_kind,
        tariff.tariff, measured.wh * 0.001 * tariff.multiplier as quantity, 'kWh' as unit, tariff.unit_price,
        tariff.multiplier, measured.currency, measured.wh, estimated_wh
    from measured join albacore.tariff using (tariff_id)
    where measured.customer not in (select customer from blocked)
    union all
    select span.customer, span.site, machine_id, span.from_day, span.to_day, 'machine_days', tariff.tariff,
        span.to_day - span.from_day + 1, 'machine-day', fee_per_machine_day, 1, span.currency, 0::bigint, 0::bigint
    from span join albacore.tariff using (tariff_id)
    where fee_per_machine_day > 0 and span.customer not in (select customer from blocked)
),
owed as (
    select customer, sum(quantity * unit_price) as amount from priced group by customer
),
minimum as (  -- of the customer's month, from the tariffs that hold on its last day; of several the highest
    select distinct on (span.customer) span.customer, tariff.tariff, span.currency, minimum_per_month
    from span join albacore.tariff on tariff.tariff_id = span.closing_tariff_id
    where minimum_per_month > 0
    order by span.customer, minimum_per_month desc, tariff.tariff
)
select customer, site, machine_id, from_day, to_day, price_kind, tariff, quantity, unit, unit_price, multiplier, currency,
    quantity * unit_price as amount, wh, wh - estimated_wh as measured_wh, estimated_wh
from priced
union all
select customer, null, null, :first_day, :last_day, 'minimum', tariff, 1, 'month', minimum_per_month - coalesce(amount, 0), 1,
    currency, minimum_per_month - coalesce(amount, 0), 0, 0::bigint, 0::bigint
from minimum left join owed using (customer)
where minimum_per_month > coalesce(amount, 0) and customer not in (select customer from blocked)
