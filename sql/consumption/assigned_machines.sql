-- The machines of a site that the registry assigns to somebody on a day.
select machine from albacore.current_assignment join albacore.machine using (machine_id)
where site = :site and :day between from_day and to_day
order by machine
