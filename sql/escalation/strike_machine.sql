-- Strikes a machine from every plan that stands.
update albacore.pause_plan_item item set fell_at = :now, fell_why = :why
from albacore.pause_plan plan
where plan.plan_id = item.plan_id and closed_at is null and item.machine_id = :machine_id and fell_at is null
