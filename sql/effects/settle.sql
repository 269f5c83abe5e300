-- Ends claims; an older fence settles nothing.
update albacore.effect
set state = ended.state, next_try_at = ended.next_try_at, answer = ended.answer, error = ended.error,
    settled_at = case when ended.state in ('done', 'parked', 'cancelled') then cast(:now as timestamptz) end
from jsonb_to_recordset(cast(:ended as jsonb)) as ended (
    effect_id bigint, fence integer, state text, next_try_at timestamptz, answer jsonb, error text
)
where effect.effect_id = ended.effect_id and effect.fence = ended.fence and effect.state = 'sending'
returning effect.effect_id
