-- The last pause of a machine that we resolved to.
select command_id, customer from albacore.machine_command
where machine_id = :machine_id and action = 'pause' and commanded_at is not null
order by command_id desc limit 1
