-- How many commands wait to be sent, or to be read back where there is an interface to read.
select count(*)
from albacore.machine_command
join albacore.effect using (effect_id)
join albacore.machine using (machine_id)
where action = :action and (
    (effect.state in ('prepared', 'sending', 'unknown') and (effect.next_try_at <= :now or effect.state = 'sending'))
    or (outcome = 'sent' and site = any(:with_interface) and not exists (
        select from albacore.machine_command later
        where later.machine_id = machine_command.machine_id and later.command_id > machine_command.command_id
    ))
)
