-- What steps claim.
insert into albacore.escalation_claim (step_id, case_id, number, stage, owed, facts_sha256, again)
select step_id, case_id, number, stage, owed, facts_sha256, again
from jsonb_to_recordset(cast(:claims as jsonb)) as claim (
    step_id bigint, case_id bigint, number text, stage text, owed numeric, facts_sha256 text, again boolean
)
