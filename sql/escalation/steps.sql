-- The steps of open cases, with what became of their notices.
select customer, stage, acts_after, step.outcome, sent_at, delivered_at
from albacore.escalation_step step
join albacore.escalation_case using (case_id)
join albacore.step_delivery using (step_id)
where closed_at is null and customer = any(:customers)
order by step_id
