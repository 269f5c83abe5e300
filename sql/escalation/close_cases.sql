-- Ends cases.
update albacore.escalation_case set closed_at = :now, outcome = ended.reason
from jsonb_to_recordset(cast(:cases as jsonb)) as ended (case_id bigint, reason text)
where escalation_case.case_id = ended.case_id and closed_at is null
