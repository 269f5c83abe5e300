-- Takes a step back of which no copy to the customer has left.
update albacore.escalation_step step set withdrawn_at = :now, withdrawn_why = :why
where step_id = :step_id and withdrawn_at is null and not exists (
    select from albacore.notice join albacore.effect using (effect_id)
    where notice.step_id = step.step_id and audience = 'customer' and state in ('done', 'unknown')
)
returning customer
