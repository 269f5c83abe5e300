-- The machines of a site that are known, by their numbers in the database.
select machine, machine_id from albacore.machine where site = :site
