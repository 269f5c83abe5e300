-- Claims that count no more, because their stage is said anew or they were never true.
update albacore.escalation_claim claim set superseded_at = :now, superseded_why = old.why
from jsonb_to_recordset(cast(:claims as jsonb)) as old (case_id bigint, stage text, why text)
where claim.case_id = old.case_id and claim.stage = old.stage and superseded_at is null
