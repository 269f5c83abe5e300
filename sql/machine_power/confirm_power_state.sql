-- A person's word on a ticket.
update albacore.machine_command set
    outcome = case when :answer = 'done' then 'verified' else 'cancelled' end,
    verified_at = case when :answer = 'done' then cast(:now as timestamptz) end,
    read_state = case when :answer = 'done' then case action when 'pause' then 'off' else 'on' end else read_state end,
    read_at = case when :answer = 'done' then cast(:now as timestamptz) else read_at end
where action = :action and outcome = 'sent' and by_ticket
    and machine_id = (select machine_id from albacore.machine where site = :site and machine = :machine)
returning command_id
