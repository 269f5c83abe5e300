-- One record per customer, machine, span and price: exact, rounded nowhere. A tier spans machines.
create temp table rated_record on commit drop as
with energy as (
    select span_energy.customer, span_energy.site, machine_id, span_energy.from_day, span_energy.to_day, tariff_id, '' as band,
        span_energy.currency, tariff.unit_price, null::numeric as wh_price, span_energy.wh, span_energy.estimated_wh
    from span_energy join albacore.tariff using (tariff_id)
    where span_energy.kind = 'flat'
    union all
    select span_energy.customer, span_energy.site, machine_id, span_energy.from_day, span_energy.to_day, tariff_id, band_energy.band,
        span_energy.currency, band_energy.price, null, band_energy.wh, band_energy.estimated_wh
    from span_energy join band_energy using (machine_id, from_day)
    union all
    select span_energy.customer, span_energy.site, machine_id, span_energy.from_day, span_energy.to_day, tariff_id, tariff.index,
        span_energy.currency, null, wh_price, index_energy.wh, index_energy.estimated_wh
    from span_energy join index_energy using (machine_id, from_day) join albacore.tariff using (tariff_id)
    union all
    select customer, site, null, from_day, to_day, tariff_id, band, currency, unit_price, null, wh, estimated_wh
    from tier_energy
),
charge as (
    select energy.customer, energy.site, machine_id, energy.from_day, energy.to_day, 'energy' as price_kind,
        tariff.tariff, band, energy.wh * 0.001 * tariff.multiplier as quantity, 'kWh' as unit,
        coalesce(energy.unit_price, round(wh_price / nullif(energy.wh, 0), 10), 0) as unit_price, wh_price is not null as averaged,
        tariff.multiplier, energy.currency,
        coalesce(wh_price, energy.wh * energy.unit_price) * 0.001 * tariff.multiplier as amount, energy.wh, estimated_wh
    from energy join albacore.tariff using (tariff_id)
    union all
    select span.customer, span.site, machine_id, span.from_day, span.to_day, 'machine_days', tariff.tariff, '',
        span.to_day - span.from_day + 1, 'machine-day', fee_per_machine_day, false, 1, span.currency,
        (span.to_day - span.from_day + 1) * fee_per_machine_day, 0::bigint, 0::bigint
    from span join albacore.tariff using (tariff_id)
    where fee_per_machine_day > 0
),
owed as (
    select customer, sum(amount) as amount from charge group by customer
),
minimum as (  -- of the customer's month, from the tariffs that hold on its last day; of several the highest
    select distinct on (span.customer) span.customer, tariff.tariff, span.currency, minimum_per_month
    from span join albacore.tariff on tariff.tariff_id = span.closing_tariff_id
    where minimum_per_month > 0
    order by span.customer, minimum_per_month desc, tariff.tariff
)
select customer, site, machine_id, from_day, to_day, price_kind, tariff, band, quantity, unit, unit_price, averaged,
    multiplier, currency, amount, wh, wh - estimated_wh as measured_wh, estimated_wh
from charge
where customer not in (select customer from blocked_customer)
union all
select customer, null, null, :first_day, :last_day, 'minimum', tariff, '', 1, 'month', minimum_per_month - coalesce(amount, 0),
    false, 1, currency, minimum_per_month - coalesce(amount, 0), 0, 0::bigint, 0::bigint
from minimum left join owed using (customer)
where minimum_per_month > coalesce(amount, 0) and customer not in (select customer from blocked_customer)
