-- Every machine-day of rated customer-months, of whatever revision: by the registry's version, the collections and the
-- estimates that the rating stood on. A day that nobody measured has its row too, all hours missing.
with month as (
    select customer_month_id, customer, billing_run.month as first_day,
        (billing_run.month + interval '1 month - 1 day')::date as last_day, billing_run_id, registry_version
    from albacore.customer_month join albacore.billing_run using (billing_run_id)
    where customer_month_id = any(:ids)
),
assigned as (
    select month.*, machine.site, machine.machine, machine_id, timezone,
        greatest(from_day, first_day) as from_day, least(to_day, last_day) as to_day
    from month
    join albacore.assignment using (customer)
    join albacore.machine using (machine_id)
    join albacore.site on site.site = machine.site
    where state = 'billable' and from_day <= last_day and to_day >= first_day
        and albacore.valid_at(since_version, until_version, registry_version)
)
select assigned.customer_month_id, assigned.site, assigned.machine, series.day::date as day, used.collection_id,
    known.wh, known.wh * 0.001 as kwh, coalesce(estimated_wh, 0) + coalesce(estimate.wh, 0) as estimated_wh,
    coalesce(hours_measured, 0) as hours_measured, coalesce(hours_estimated, 0) + coalesce(estimate.hours, 0) as hours_estimated,
    coalesce(hours_expected, extract(epoch from (series.day + interval '1 day') at time zone timezone
        - series.day at time zone timezone)::integer / 3600) as hours_expected,
    albacore.quality_with_estimate(
        coalesce(quality, 'missing'), hours_expected - hours_measured - hours_estimated, estimate.hours) as quality
from assigned
cross join lateral generate_series(from_day::timestamp, to_day, interval '1 day') as series (day)
left join albacore.billing_run_collection used on used.billing_run_id = assigned.billing_run_id
    and used.site = assigned.site and used.day = series.day::date
left join lateral (  -- the limit makes it a look-up by key for each day, however large the planner thinks the month
    select * from albacore.machine_day read
    where read.day = used.day and read.collection_id = used.collection_id and read.machine_id = assigned.machine_id
    limit 1
) machine_day on true
left join albacore.machine_estimate estimate on estimate.day = used.day and estimate.collection_id = used.collection_id
    and estimate.machine_id = assigned.machine_id and albacore.valid_at(since_run, until_run, assigned.billing_run_id)
cross join lateral (select albacore.wh_with_estimate(machine_day.wh, estimate.wh) as wh) known
order by assigned.customer_month_id, assigned.site, assigned.machine, series.day
