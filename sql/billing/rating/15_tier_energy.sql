-- The energy of tiered prices: a customer's kWh at a site are counted through the month in the order of its stretches of
-- price, and each kWh costs what its place in that count costs. Estimated energy is spread evenly over a stretch.
create temp table tier_energy on commit drop as
with stretch as (
    select customer, site, stretch, tariff_id, kind, currency, min(from_day) as from_day, max(to_day) as to_day,
        sum(wh) as wh, sum(estimated_wh) as estimated_wh,
        sum(sum(wh)) over (partition by customer, site order by stretch) - sum(wh) as before
    from span_energy
    where (customer, site) in (select customer, site from span where kind = 'tiered')
    group by customer, site, stretch, tariff_id, kind, currency
),
tier as (
    select tariff_id, from_wh, lead(from_wh) over (partition by tariff_id order by from_wh) as to_wh, unit_price
    from (
        select tariff_id, round(from_kwh * 1000) as from_wh, band.unit_price
        from albacore.tariff join albacore.current_tariff_band band using (tariff)
        where tariff.kind = 'tiered' and tariff_id in (select tariff_id from stretch)
        union all
        select tariff_id, 0, unit_price from albacore.tariff
        where kind = 'tiered' and tariff_id in (select tariff_id from stretch) and not exists (
            select from albacore.current_tariff_band band where band.tariff = tariff.tariff and from_kwh = 0
        )
    ) step
),
part as (
    select stretch.*, from_wh, to_wh, unit_price, greatest(before, from_wh) - before as begins,
        least(before + wh, to_wh) - before as ends
    from stretch join tier using (tariff_id)
    where kind = 'tiered' and before + wh > from_wh and before < coalesce(to_wh, before + wh + 1)
)
select customer, site, stretch, tariff_id, currency, from_day, to_day, unit_price,
    'from ' || trim_scale(from_wh / 1000) || ' kWh' as band, (ends - begins)::bigint as wh,
    (div(estimated_wh * ends, wh) - div(estimated_wh * begins, wh))::bigint as estimated_wh
from part
