-- Strikes machines from their plans.
update albacore.pause_plan_item item set fell_at = :now, fell_why = struck.why
from jsonb_to_recordset(cast(:machines as jsonb)) as struck (plan_id bigint, machine_id integer, why text)
where item.plan_id = struck.plan_id and item.machine_id = struck.machine_id and fell_at is null
