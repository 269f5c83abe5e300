-- What these mails claim: the documents of their steps.
select notice.effect_id, step.step_id, step.customer, step.does, claim.number, claim.owed, superseded_at is not null as superseded
from albacore.notice
join albacore.escalation_step step using (step_id)
join albacore.escalation_claim claim using (step_id)
where notice.effect_id = any(:effects)
order by notice.effect_id, claim.number
