-- Ends a claim; an older fence settles nothing.
update albacore.effect
set state = :state, next_try_at = :next_try_at, answer = cast(:answer as jsonb), error = :error,
    settled_at = case when :state in ('done', 'parked', 'cancelled') then cast(:now as timestamptz) end
where effect_id = :effect_id and fence = :fence and state = 'sending'
