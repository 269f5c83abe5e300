-- What became of machines' power since an instant.
select site, machine, action, outcome, reason
from albacore.machine_command join albacore.machine using (machine_id)
where greatest(requested_at, sent_at, verified_at, commanded_at) >= :since
order by site, machine, command_id
