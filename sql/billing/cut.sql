-- The month as it stands now: the newest accepted collection of each site-day.
create temp table cut on commit drop as
select collection_id, site, day from albacore.accepted_collection
where day between :first_day and :last_day
