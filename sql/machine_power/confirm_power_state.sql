-- A person's word on a machine's power, for sites without an interface.
update albacore.machine_command set outcome = 'verified', verified_at = :now
where action = :action and outcome = 'sent'
    and machine_id = (select machine_id from albacore.machine where site = :site and machine = :machine)
