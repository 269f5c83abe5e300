-- Months that are over at every site and still have something to bill: a customer without a rated revision or with one
-- that is blocked, or collections and registry versions newer than the last rating of the month.
with month as (
    select generate_series(date_trunc('month', min(starts_on)), cast(:today as date) - interval '1 month', interval '1 month')::date as first_day
    from albacore.site
),
over as (
    select first_day, (first_day + interval '1 month - 1 day')::date as last_day from month
    where not exists (
        select from albacore.site
        where ((first_day + interval '1 month')::timestamp at time zone timezone) > :now
    )
)
select first_day from over
where exists (
    select from albacore.current_assignment assignment
    where state = 'billable' and from_day <= last_day and to_day >= first_day
        and not exists (
            select from albacore.customer_month done
            where done.customer = assignment.customer and done.month = first_day and done.state <> 'blocked'
        )
)
or exists (select from albacore.customer_month where month = first_day and state = 'blocked')
or exists (
    select from albacore.accepted_collection accepted
    where day between first_day and last_day and not exists (
        select from albacore.billing_run join albacore.billing_run_collection using (billing_run_id)
        where month = first_day and collection_id = accepted.collection_id
    )
    and exists (select from albacore.customer_month where month = first_day)
)
or (select max(version) from albacore.registry_version) > (select max(registry_version) from albacore.billing_run where month = first_day)
order by first_day
