-- Frozen plans of pauses, one a step.
insert into albacore.pause_plan (step_id, customer, made_at, sha256, not_before)
select step_id, customer, :now, sha256, not_before
from jsonb_to_recordset(cast(:plans as jsonb)) as plan (step_id bigint, customer text, sha256 text, not_before date)
