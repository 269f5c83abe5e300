-- The machine-days of a record, with the collection and the raw answers that each came from. A record without a machine
-- spans all that the customer had at the site.
select billed.day, machine.machine, billed.wh, billed.estimated_hours, billed.estimate_wh, machine_day.quality, collection.collection_id,
    collection.revision, collection.collected_at, collection.run_id, collection.raw
from (
    select used.day, used.collection_id, machine_day.machine_id,
        albacore.wh_with_estimate(machine_day.wh, estimate.wh) as wh,
        coalesce(estimate.hours, 0) as estimated_hours, coalesce(estimate.wh, 0) as estimate_wh
    from albacore.billing_run_collection used
    join albacore.assignment on assignment.customer = :customer and state = 'billable' and used.day between from_day and to_day
        and albacore.valid_at(since_version, until_version, :registry_version)
        and (cast(:machine_id as integer) is null or assignment.machine_id = :machine_id)
    join albacore.machine_day on machine_day.collection_id = used.collection_id and machine_day.day = used.day
        and machine_day.machine_id = assignment.machine_id
    left join albacore.machine_estimate estimate on estimate.collection_id = used.collection_id and estimate.day = used.day
        and estimate.machine_id = machine_day.machine_id
        and albacore.valid_at(estimate.since_run, estimate.until_run, :billing_run_id)
    where used.billing_run_id = :billing_run_id and used.site = :site and used.day between :from_day and :to_day
) billed
join albacore.machine using (machine_id)
join albacore.machine_day using (collection_id, day, machine_id)
join albacore.collection using (collection_id, day)
order by billed.day, machine.machine
