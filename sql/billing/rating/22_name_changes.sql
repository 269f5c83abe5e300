-- A correction says what changed since the revision before it: days on which the customer's machines were read otherwise,
-- and loads of the registry.
with change as (
    select month.customer_month_id, month.customer, month.month, month.billing_run_id, run.registry_version,
        before.billing_run_id as run_before, before_run.registry_version as version_before
    from rating_result
    join albacore.customer_month month on month.customer = rating_result.customer and month.month = :first_day
        and month.revision = rating_result.revision
    join albacore.billing_run run using (billing_run_id)
    join albacore.customer_month before on before.customer = month.customer and before.month = month.month
        and before.revision = month.revision - 1
    join albacore.billing_run before_run on before_run.billing_run_id = before.billing_run_id
    where action in ('open', 'rewrite') and month.state = 'ready'
),
day as (
    select distinct customer_month_id, now.site, now.day
    from change
    join albacore.billing_run_collection now on now.billing_run_id = change.billing_run_id
    join albacore.billing_run_collection before on before.billing_run_id = run_before and before.site = now.site
        and before.day = now.day and before.collection_id <> now.collection_id
    join albacore.current_assignment assignment on assignment.customer = change.customer
        and now.day between from_day and to_day and state = 'billable'
    join albacore.machine on machine.machine_id = assignment.machine_id and machine.site = now.site
    left join albacore.machine_day read_now on read_now.collection_id = now.collection_id and read_now.day = now.day
        and read_now.machine_id = machine.machine_id
    left join albacore.machine_day read_before on read_before.collection_id = before.collection_id
        and read_before.day = before.day and read_before.machine_id = machine.machine_id
    where (read_now.hourly_wh, read_now.hourly_quality) is distinct from (read_before.hourly_wh, read_before.hourly_quality)
),
site_reading as (
    select customer_month_id, format('new readings of %s at %s', string_agg(to_char(day, 'YYYY-MM-DD'), ', ' order by day), site) as words
    from day group by customer_month_id, site
),
load as (
    select customer_month_id, format('registry version %s (%s)', version, reason) as words
    from change join albacore.registry_version on version > version_before and version <= change.registry_version
)
update albacore.customer_month month set reason = coalesce(named.words, 'estimates')
from change
left join lateral (
    select string_agg(words, '; ' order by words) as words
    from (
        select words from site_reading where site_reading.customer_month_id = change.customer_month_id
        union all select words from load where load.customer_month_id = change.customer_month_id
    ) part
) named on true
where month.customer_month_id = change.customer_month_id
