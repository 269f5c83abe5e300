-- Notes on each record the line that it stands on; the lines come as columns. A record of an average price has no price.
update albacore.billing_record record set line = said.line
from unnest(
    cast(:customer_month_id as bigint[]), cast(:line as integer[]), cast(:site as text[]), cast(:price_kind as text[]),
    cast(:tariff as text[]), cast(:band as text[]), cast(:price as numeric[]), cast(:multiplier as numeric[])
) as said (customer_month_id, line, site, price_kind, tariff, band, price, multiplier)
where record.customer_month_id = said.customer_month_id and coalesce(record.site, '') = said.site
    and record.price_kind = said.price_kind and record.tariff = said.tariff and record.band = said.band
    and record.multiplier = said.multiplier
    and case when averaged then said.price is null else record.unit_price = said.price end
