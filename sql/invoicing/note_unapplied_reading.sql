-- That an organisation's unapplied money was read, asked for at :asked; 0 where a later question was answered already.
insert into albacore.unapplied_reading (tenant, as_of) values (:tenant, :asked)
on conflict (tenant) do update set as_of = excluded.as_of
where unapplied_reading.as_of <= :asked or unapplied_reading.as_of > :now
