-- The commands that these effects carry out.
select effect_id, command_id, plan_id, action, customer, machine_id, site, machine, reason, requested_at, commanded_at, by_ticket
from albacore.machine_command join albacore.machine using (machine_id)
where effect_id = any(:effects)
