-- Machines for which a plan of a pause stands.
select distinct machine from albacore.standing_item join albacore.machine using (machine_id) order by machine
