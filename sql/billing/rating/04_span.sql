-- Who rents which machine at which tariff. closing_tariff_id is the one that holds there on the month's last day,
-- whoever has the machine by then; stretch is the day on which the customer's price at the site begins.
create temp table span on commit drop as
select billable_assignments.customer, billable_assignments.site, billable_assignments.currency, billable_assignments.machine_id, tariff_periods.tariff_id, tariff.kind,
    closing.tariff_id as closing_tariff_id, tariff_periods.from_day as stretch,
    greatest(billable_assignments.from_day, tariff_periods.from_day) as from_day, least(billable_assignments.to_day, tariff_periods.to_day) as to_day
from billable_assignments
join tariff_periods on tariff_periods.customer = billable_assignments.customer and tariff_periods.site = billable_assignments.site
    and tariff_periods.from_day <= billable_assignments.to_day and tariff_periods.to_day >= billable_assignments.from_day
join tariff_periods closing on closing.customer = billable_assignments.customer and closing.site = billable_assignments.site and closing.to_day = :last_day
left join albacore.tariff on tariff.tariff_id = tariff_periods.tariff_id
