-- Estimates that are new.
insert into albacore.machine_estimate (machine_id, day, collection_id, hourly_wh, hourly_quality, hours, wh, since_run)
select machine_id, day, collection_id, hourly_wh, hourly_quality, hours, wh, :billing_run_id
from estimable
where not exists (
    select from albacore.machine_estimate estimate
    where estimate.machine_id = estimable.machine_id and estimate.day = estimable.day and estimate.until_run is null
)
