-- The site said again what it had said before.
update albacore.collection set last_read_at = :now where collection_id = :collection_id
