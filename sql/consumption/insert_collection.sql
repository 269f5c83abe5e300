-- A new revision of a site-day.
insert into albacore.collection (site, day, revision, state, collected_at, last_read_at, run_id, content_sha256, readings, raw)
values (:site, :day, :revision, 'waiting', :now, :now, :run_id, :sha256, :readings, cast(:raw as jsonb))
returning collection_id
