-- Commands that were sent and not yet read back.
select command_id, site, machine, action, customer from albacore.machine_command join albacore.machine using (machine_id)
where outcome = 'sent' and not exists (
    select from albacore.machine_command later
    where later.machine_id = machine_command.machine_id and later.command_id > machine_command.command_id
)
order by command_id
