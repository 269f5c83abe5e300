-- Frozen customer-months whose records are not those that were rated.
with content as (
    select customer_month_id, encode(sha256(convert_to(string_agg(
        albacore.record_text(
        site, machine_id, from_day, to_day, price_kind, tariff, quantity, unit_price, multiplier, wh, estimated_wh, band, amount),
        E'\n' order by price_kind, site, machine_id, from_day, band), 'UTF8')), 'hex') as sha256
    from albacore.billing_record group by customer_month_id
)
select month, customer, revision
from albacore.customer_month left join content using (customer_month_id)
where month between :first_day and :last_day and state <> 'blocked' and coalesce(content.sha256, 'empty') <> content_sha256
order by month, customer, revision
