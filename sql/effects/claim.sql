-- Claims a batch that is due. The caller holds the kind's lock, so `sending` means: its sender is gone.
-- In doubt is what was being sent or is unknown; what is `prepared` has certainly not happened.
with due as (
    select effect_id, state from albacore.effect
    where kind = :kind and albacore.is_due(state, next_try_at, :now) and albacore.may_leave(payload ->> 'month', :live_from)
    order by effect_id
    limit :batch
    for update skip locked
)
update albacore.effect
set state = 'sending', fence = fence + 1, attempts = attempts + 1, claimed_at = :now
from due
where effect.effect_id = due.effect_id
returning effect.effect_id, kind, business_key, payload, attempts, fence, due.state <> 'prepared' as in_doubt
