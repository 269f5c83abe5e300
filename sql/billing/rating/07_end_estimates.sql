-- Estimates in force in the month that are no longer what the rule gives.
update albacore.machine_estimate estimate set until_run = :billing_run_id
where until_run is null and day between :first_day and :last_day and not exists (
    select from estimated_days
    where estimated_days.machine_id = estimate.machine_id and estimated_days.day = estimate.day
        and estimated_days.collection_id = estimate.collection_id and estimated_days.hourly_wh = estimate.hourly_wh
)
