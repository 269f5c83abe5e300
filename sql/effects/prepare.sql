-- Writes an intent, unless its key is taken: then nothing comes back.
insert into albacore.effect (kind, business_key, payload, payload_sha256, prepared_at, next_try_at)
values (:kind, :business_key, cast(:payload as jsonb), :sha256, :now, :now)
on conflict (business_key) do nothing
returning effect_id, payload_sha256
