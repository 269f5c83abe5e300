-- The site says again what was accepted: what waits is moot.
update albacore.collection
set state = 'refused', reason = 'the site says again what was accepted', decided_by = 'pipeline', decided_at = :now
where site = :site and day = :day and state = 'waiting'
