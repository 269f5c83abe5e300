-- Whose a machine is on a day, by the registry in force.
select customer from albacore.current_assignment join albacore.machine using (machine_id)
where machine = :machine and :day between from_day and to_day
