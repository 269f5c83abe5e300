-- How often a site-day was collected as such a revision or a later one; without a site or a day: any.
select count(*) from albacore.collection
where (cast(:site as text) is null or site = :site) and (cast(:day as date) is null or day = :day) and revision >= :revision
