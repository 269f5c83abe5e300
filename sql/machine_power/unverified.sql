-- Commands that were sent and not yet read back.
select command_id, site, machine, action, customer, commanded_at
from albacore.unverified_command join albacore.machine using (machine_id)
order by command_id
