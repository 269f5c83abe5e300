-- The code in the mail that leaves now: it replaces an unused one.
update albacore.plan_approval approval set code_hash = :code_hash, tries = 0
from albacore.pause_plan plan
where effect_id = :effect_id and approved_at is null and plan.plan_id = approval.plan_id and closed_at is null
