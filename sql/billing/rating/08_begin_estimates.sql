-- Estimates that are new.
insert into albacore.machine_estimate (machine_id, day, collection_id, hourly_wh, hourly_quality, hours, wh, since_run)
select machine_id, day, collection_id, hourly_wh, hourly_quality, hours, wh, :billing_run_id
from estimated_days
where not exists (
    select from albacore.machine_estimate estimate
    where estimate.machine_id = estimated_days.machine_id and estimate.day = estimated_days.day and estimate.until_run is null
)
