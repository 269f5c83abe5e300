-- Asks a person to approve a plan, once.
insert into albacore.plan_approval (plan_id, approver, asked_at, effect_id)
values (:plan_id, :approver, :now, :effect_id)
on conflict (plan_id, approver) do nothing
