-- Customers whose scheduled pause may be carried out.
select escalation_case.customer
from albacore.escalation_case
join albacore.escalation_step step using (case_id)
where closed_at is null and step.stage = 'pause_scheduled' and step.outcome = 'open' and step.acts_after <= :now
    and not exists (
        select from albacore.escalation_step paused where paused.case_id = step.case_id and paused.stage = 'paused'
    )
order by escalation_case.customer
