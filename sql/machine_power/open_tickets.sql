-- Tickets that left and that nobody has answered.
select command_id, site, machine, action, customer, commanded_at
from albacore.machine_command join albacore.machine using (machine_id)
where by_ticket and outcome = 'sent'
order by command_id
