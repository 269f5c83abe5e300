-- Pauses that we resolved to before an instant, and of which nobody knows whether they worked.
select command_id, site, machine, action, customer, commanded_at
from albacore.machine_command join albacore.machine using (machine_id)
where action = 'pause' and not by_ticket and outcome in ('requested', 'sent') and commanded_at < :before
    and command_id in (select command_id from albacore.stopped_machine)
order by command_id
