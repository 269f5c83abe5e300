-- Power states that were read since the commands; a state as wanted verifies.
update albacore.machine_command command set read_state = reading.state, read_at = :now,
    outcome = case when reading.state = case action when 'pause' then 'off' else 'on' end then 'verified' else outcome end,
    verified_at = case when reading.state = case action when 'pause' then 'off' else 'on' end then coalesce(verified_at, :now) else verified_at end
from jsonb_to_recordset(cast(:readings as jsonb)) as reading (command_id bigint, state text)
where command.command_id = reading.command_id
