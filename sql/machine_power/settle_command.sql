-- What became of a command.
update albacore.machine_command set outcome = :outcome, sent_at = coalesce(sent_at, cast(:sent_at as timestamptz))
where command_id = :command_id
