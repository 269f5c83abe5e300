-- The machines that the final notices of these documents named, by the claims that count.
select claim.number, named.machine_id
from albacore.escalation_claim claim
join albacore.escalation_step step using (step_id)
join albacore.step_machine named on named.step_id = step.step_id and named.number = claim.number
where claim.number = any(:numbers) and claim.superseded_at is null and step.does = 'announce'
