-- Makes what plans say of these documents fall for good.
update albacore.pause_plan_item item set fell_at = :now, fell_why = fallen.why
from jsonb_to_recordset(cast(:fallen as jsonb)) as fallen (number text, why text), albacore.pause_plan plan
where item.number = fallen.number and plan.plan_id = item.plan_id and closed_at is null and fell_at is null
