-- Writes intents; those whose key is taken come back with what stands under it.
with wanted as (
    select kind, business_key, payload, sha256
    from jsonb_to_recordset(cast(:intents as jsonb)) as intent (kind text, business_key text, payload jsonb, sha256 text)
),
made as (
    insert into albacore.effect (kind, business_key, payload, payload_sha256, prepared_at, next_try_at)
    select kind, business_key, payload, sha256, :now, :now from wanted
    on conflict (business_key) do nothing
    returning business_key, effect_id, payload_sha256
)
select business_key, effect_id, payload_sha256 from made
union all
select effect.business_key, effect.effect_id, effect.payload_sha256
from wanted join albacore.effect using (business_key)
where not exists (select from made where made.business_key = wanted.business_key)
