-- The machines of a site that the registry assigns to somebody on a day.
select machine from albacore.assignment join albacore.machine using (machine_id)
where site = :site and until_version is null and :day between from_day and to_day
order by machine
