-- Who rents which machine at which tariff. closing_tariff_id is the one that holds there on the month's last day,
-- whoever has the machine by then; stretch is the day on which the customer's price at the site begins.
create temp table span on commit drop as
select rented.customer, rented.site, rented.currency, rented.machine_id, priced.tariff_id, tariff.kind,
    closing.tariff_id as closing_tariff_id, priced.from_day as stretch,
    greatest(rented.from_day, priced.from_day) as from_day, least(rented.to_day, priced.to_day) as to_day
from rented
join priced on priced.customer = rented.customer and priced.site = rented.site
    and priced.from_day <= rented.to_day and priced.to_day >= rented.from_day
join priced closing on closing.customer = rented.customer and closing.site = rented.site and closing.to_day = :last_day
left join albacore.tariff on tariff.tariff_id = priced.tariff_id
