-- Turns the kill switch.
insert into albacore.kill_switch (one, is_on, reason, actor, set_at) values (true, :is_on, :reason, :actor, :now)
on conflict (one) do update set is_on = excluded.is_on, reason = excluded.reason, actor = excluded.actor, set_at = excluded.set_at
