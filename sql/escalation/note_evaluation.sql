-- Notes when the cases were evaluated.
insert into albacore.evaluation (one, evaluated_at) values (true, :now)
on conflict (one) do update set evaluated_at = excluded.evaluated_at
