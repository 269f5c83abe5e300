-- The machine-days of a record, with the collection and the raw answers that each came from.
select machine_day.day, machine_day.wh, machine_day.quality, collection.collection_id, collection.revision, collection.collected_at,
    collection.run_id, collection.raw
from albacore.billing_run_collection used
join albacore.machine_day on machine_day.collection_id = used.collection_id and machine_day.day = used.day
join albacore.collection on collection.collection_id = used.collection_id
where used.billing_run_id = :billing_run_id and machine_day.machine_id = :machine_id and used.day between :from_day and :to_day
order by machine_day.day
