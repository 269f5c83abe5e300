-- A machine's day: every reading of it, newest first.
select collection.collection_id, collection.revision, collection.state, collection.collected_at, collection.run_id, collection.raw,
    collection.reason, machine_day.wh, machine_day.hourly_wh, machine_day.hourly_quality, machine_day.quality, machine_day.flags,
    estimate.hours as estimated_hours, estimate.wh as estimate_wh
from albacore.machine
join albacore.collection on collection.site = machine.site and collection.day = :day
left join albacore.machine_day on machine_day.collection_id = collection.collection_id and machine_day.day = :day
    and machine_day.machine_id = machine.machine_id
left join albacore.machine_estimate estimate on estimate.collection_id = collection.collection_id and estimate.day = :day
    and estimate.machine_id = machine.machine_id and estimate.until_run is null
where machine.machine = :machine
order by collection.revision desc
