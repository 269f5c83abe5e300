-- How many commands wait to be sent, or to be read back where there is an interface to read.
select count(*)
from albacore.machine_command
join albacore.effect using (effect_id)
join albacore.machine using (machine_id)
where action = :action and (
    albacore.is_due(effect.state, effect.next_try_at, :now)
    or (site = any(:with_interface) and command_id in (select command_id from albacore.unverified_command))
)
