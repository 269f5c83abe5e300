-- Accepts or refuses a revision.
update albacore.collection
set state = :state, reason = :reason, decided_by = :actor, decided_at = :now
where collection_id = :collection_id and state = 'waiting'
