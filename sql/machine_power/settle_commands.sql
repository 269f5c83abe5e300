-- What became of commands. They were sent before they were read to be carried out, though both are noted later.
update albacore.machine_command command
set outcome = settled.outcome, sent_at = coalesce(
    command.sent_at, case when settled.sent_at is not null then least(settled.sent_at, command.verified_at) end)
from jsonb_to_recordset(cast(:settled as jsonb)) as settled (command_id bigint, outcome text, sent_at timestamptz)
where command.command_id = settled.command_id
