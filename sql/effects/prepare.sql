-- Writes an intent once: the same key again returns what is there.
with written as (
    insert into albacore.effect (kind, business_key, payload, payload_sha256, prepared_at, next_try_at)
    values (:kind, :business_key, cast(:payload as jsonb), :sha256, :now, :now)
    on conflict (business_key) do nothing
    returning effect_id, payload_sha256
)
select effect_id, payload_sha256 from written
union all
select effect_id, payload_sha256 from albacore.effect where business_key = :business_key
limit 1
