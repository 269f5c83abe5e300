-- A command to a machine's power, with its effect.
insert into albacore.machine_command (step_id, machine_id, customer, action, reason, requested_at, effect_id)
values (:step_id, :machine_id, :customer, :action, :reason, :now, :effect_id)
on conflict (step_id, machine_id, action) do nothing
