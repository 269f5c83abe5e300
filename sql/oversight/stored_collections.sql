-- The collections that count, with the hash of what was collected.
select collection_id, collection.site, collection.day, content_sha256
from albacore.accepted_collection accepted join albacore.collection using (collection_id)
where collection.day between :first_day and :last_day
order by collection.site, collection.day
