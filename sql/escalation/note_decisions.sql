-- Decisions that changed.
insert into albacore.case_decision (case_id, decided_at, decision, stage, reason, next_stage, next_on, policy, policy_from, facts_sha256)
select case_id, :now, decision, stage, reason, next_stage, next_on, policy, policy_from, facts_sha256
from jsonb_to_recordset(cast(:decisions as jsonb)) as changed (
    case_id bigint, decision text, stage text, reason text, next_stage text, next_on date, policy text, policy_from date,
    facts_sha256 text
)
