-- The machine-days of accepted collections as they are stored, in the order in which they were hashed.
select collection.site, collection.day, collection.content_sha256, machine.machine, hourly_wh, hourly_quality, flags
from albacore.accepted_collection accepted
join albacore.collection using (collection_id)
left join albacore.machine_day on machine_day.collection_id = collection.collection_id and machine_day.day = collection.day
left join albacore.machine using (machine_id)
where collection.day between :first_day and :last_day
order by collection.site, collection.day, machine.machine collate "C"
