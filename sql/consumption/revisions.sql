-- The revisions of a site-day, newest first.
select collection_id, revision, state, content_sha256 from albacore.collection
where site = :site and day = :day order by revision desc
