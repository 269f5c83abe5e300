-- Whose month can't be rated yet, and why: a span without a tariff, or hours that are neither known nor accepted. The
-- policy's tolerance is for hours that stay missing; those that may still arrive are waited for.
create temp table blocked on commit drop as
with forgiven as (
    select measured.customer, gap.machine_id, count(*) filter (where known.machine_id is null) as days,
        coalesce(sum(hours_expected - hours_measured - hours_estimated), 0) as hours
    from albacore.accepted_gap gap
    join measured using (machine_id)
    left join cut on cut.site = measured.site and cut.day = gap.day
    left join albacore.machine_day known on known.collection_id = cut.collection_id and known.day = gap.day
        and known.machine_id = gap.machine_id
    where gap.day between measured.from_day and measured.to_day
    group by measured.customer, gap.machine_id
),
incomplete as (
    select customer, site, machine_id, min(from_day) as from_day, max(to_day) as to_day,
        sum(days_absent) - coalesce(max(forgiven.days), 0) as days_absent,
        sum(hours_missing) - coalesce(max(forgiven.hours), 0) as hours_missing,
        least(sum(hours_awaited), sum(hours_missing) - coalesce(max(forgiven.hours), 0)) as hours_awaited
    from measured left join forgiven using (customer, machine_id)
    where days_absent > 0 or hours_missing > 0
    group by customer, site, machine_id
),
tolerated as (
    select distinct on (customer.customer) customer.customer, (policy.definition ->> 'accepted_gap_hours')::integer as hours
    from albacore.customer
    join albacore.policy on policy.policy = customer.policy and policy.until_version is null
    where customer.until_version is null
    order by customer.customer, (policy.from_day <= :first_day) desc,
        case when policy.from_day <= :first_day then policy.from_day end desc, policy.from_day
),
first_gap as (
    select distinct on (customer) incomplete.*,
        count(*) over (partition by customer) as machines, sum(days_absent) over (partition by customer) as days,
        sum(hours_missing) over (partition by customer) as hours
    from incomplete join tolerated using (customer)
    where days_absent > 0 or hours_awaited > 0 or hours_missing > tolerated.hours
    order by customer, days_absent desc, site, machine_id
)
select customer, format('no tariff at %s from %s on: add a row to tariffs.csv', min(site), min(from_day)) as reason
from span where tariff_id is null group by customer
union all
select customer, format('%s machine-days not collected and %s hours missing on %s machines, first %s at %s on %s',
    days, hours, machines, machine.machine, first_gap.site,
    (select min(series.day)::date from generate_series(from_day, to_day, interval '1 day') as series (day)
     where not exists (
        select from cut join albacore.machine_day known using (collection_id, day)
        where cut.site = first_gap.site and cut.day = series.day::date and known.machine_id = first_gap.machine_id
            and hours_measured + hours_estimated = hours_expected)))
from first_gap join albacore.machine using (machine_id)
where customer not in (select customer from span where tariff_id is null)
