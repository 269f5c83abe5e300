-- The months that were rated and have a day on which a version of the registry says something else than the one before.
-- Rows that went and came with other days count for the days that only one of them had.
with assigned as (
    select range_agg(days) filter (where added) as new, range_agg(days) filter (where not added) as old
    from (
        select machine_id, customer, state, daterange(from_day, to_day, '[]') as days, since_version = :version as added
        from albacore.assignment where :version in (since_version, until_version)
    ) row
    group by machine_id, customer, state
),
tariffed as (
    select range_agg(days) filter (where added) as new, range_agg(days) filter (where not added) as old
    from (
        select tariff.*, daterange(from_day, to_day, '[]') as days, since_version = :version as added
        from albacore.tariff where :version in (since_version, until_version)
    ) row
    group by tariff, customer, site, kind, currency, unit_price, multiplier, fee_per_machine_day, minimum_per_month, index
),
touched as (
    select unnest((coalesce(new, '{}') + coalesce(old, '{}')) - (coalesce(new, '{}') * coalesce(old, '{}'))) as days from assigned
    union all
    select unnest((coalesce(new, '{}') + coalesce(old, '{}')) - (coalesce(new, '{}') * coalesce(old, '{}'))) from tariffed
    union all
    select daterange(from_day, to_day, '[]')
    from albacore.current_tariff
    where tariff in (
        select tariff from albacore.tariff_band where :version in (since_version, until_version)
    )
    union all  -- an hour lies in the day before or after, somewhere
    select daterange(min(hour_start)::date - 1, max(hour_start)::date + 1, '[]')
    from albacore.price where :version in (since_version, until_version)
    group by date_trunc('month', hour_start, 'UTC')
    union all  -- before its first version, a policy's first version holds
    select daterange(null, null) from albacore.policy where :version in (since_version, until_version)
    union all
    select daterange(month, month, '[]')
    from albacore.customer_month
    where customer in (
        select customer from albacore.customer where :version in (since_version, until_version)
        group by customer, currency, policy
        having bool_and(since_version = :version) or bool_and(until_version = :version)
    )
)
select distinct month from albacore.billing_run
where exists (select from touched where days && daterange(month, (month + interval '1 month')::date))
order by month
