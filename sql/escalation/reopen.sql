-- Takes back what a document's case claims, from a stage on: it will be said again.
update albacore.escalation_claim claim set superseded_at = :now, superseded_why = :why
from albacore.escalation_case
where escalation_case.case_id = claim.case_id and escalation_case.number = :number and closed_at is null
    and superseded_at is null and claim.step_id >= (
        select min(first.step_id) from albacore.escalation_claim first
        where first.case_id = claim.case_id and first.stage = :stage and first.superseded_at is null
    )
returning claim.stage
