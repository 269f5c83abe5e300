-- Notes on each record the line that it stands on; the lines come as columns. A record of an average price has no price.
update albacore.billing_record record set line = stated.line
from unnest(
    cast(:customer_month_id as bigint[]), cast(:line as integer[]), cast(:site as text[]), cast(:price_kind as text[]),
    cast(:tariff as text[]), cast(:band as text[]), cast(:price as numeric[]), cast(:multiplier as numeric[])
) as stated (customer_month_id, line, site, price_kind, tariff, band, price, multiplier)
where record.customer_month_id = stated.customer_month_id and coalesce(record.site, '') = stated.site
    and record.price_kind = stated.price_kind and record.tariff = stated.tariff and record.band = stated.band
    and record.multiplier = stated.multiplier
    and case when averaged then stated.price is null else record.unit_price = stated.price end
