-- What a person was asked to approve, locked.
select approval.plan_id, approver, code_hash, tries, approved_at, plan.customer, plan.closed_at, actor
from albacore.plan_approval approval join albacore.pause_plan plan using (plan_id)
where approval.plan_id = :plan_id
order by approver
for update of approval
