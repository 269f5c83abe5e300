-- The stage whose notice came back, or whose plan was vetoed, in a document's open case.
select claim.stage
from albacore.escalation_claim claim
join albacore.escalation_case using (case_id)
join albacore.step_delivery delivery using (step_id)
left join albacore.vetoed_claim veto on veto.step_id = claim.step_id and veto.number = claim.number
where escalation_case.number = :number and closed_at is null and superseded_at is null
    and (came_back or veto.number is not null)
order by claim.step_id
limit 1
