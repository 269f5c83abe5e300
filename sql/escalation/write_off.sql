-- A document that is not chased any more.
insert into albacore.write_off (number, written_off_at, actor, reason) values (:number, :now, :actor, :reason)
on conflict (number) do nothing
