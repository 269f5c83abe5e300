-- What became of a command. It was sent before it was read to be carried out, though both are noted later.
update albacore.machine_command set outcome = :outcome,
    sent_at = coalesce(sent_at, case when cast(:sent_at as timestamptz) is not null then least(cast(:sent_at as timestamptz), verified_at) end)
where command_id = :command_id
