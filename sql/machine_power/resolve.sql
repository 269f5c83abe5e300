-- The resolve to command, before the command itself: a restart knows by it that we may have.
update albacore.machine_command set commanded_at = :now, was_on_at = case when by_ticket or action = 'resume' then was_on_at else :now end,
    read_state = null, read_at = null
where command_id = any(:commands)
