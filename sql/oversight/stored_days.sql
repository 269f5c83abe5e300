-- The machine-days of the collections that count, as they are stored, in the order in which they were hashed.
select accepted.collection_id, machine.machine, hourly_wh, hourly_quality, flags
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
join albacore.machine using (machine_id)
where accepted.day between :first_day and :last_day
order by accepted.collection_id, machine.machine collate "C"
