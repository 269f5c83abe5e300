-- What became of commands.
update albacore.machine_command command
set outcome = settled.outcome, sent_at = coalesce(command.sent_at, settled.sent_at)
from jsonb_to_recordset(cast(:settled as jsonb)) as settled (command_id bigint, outcome text, sent_at timestamptz)
where command.command_id = settled.command_id
