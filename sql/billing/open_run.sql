-- Notes what this rating stands on.
with run as (
    insert into albacore.billing_run (month, registry_version, run_id, computed_at)
    values (:first_day, :registry_version, :run_id, :now)
    returning billing_run_id
),
used as (
    insert into albacore.billing_run_collection (billing_run_id, collection_id, site, day)
    select billing_run_id, collection_id, site, day from run cross join accepted_readings
)
select billing_run_id from run
