-- Notes on each record the line that it stands on.
update albacore.billing_record set line = :line
where customer_month_id = :customer_month_id and coalesce(site, '') = :site and price_kind = :price_kind and tariff = :tariff
    and band = :band and unit_price = :unit_price and multiplier = :multiplier
