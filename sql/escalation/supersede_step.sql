-- What a step claimed counts no more.
update albacore.escalation_claim set superseded_at = :now, superseded_why = :why
where step_id = :step_id and superseded_at is null
returning number
