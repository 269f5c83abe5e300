-- A machine by its site and name.
select machine_id from albacore.machine where site = :site and machine = :machine
