-- A customer's plan that stands: its machines, and who has approved it.
select plan.plan_id, plan.sha256, plan.not_before,
    (select array_agg(distinct machine.site || ' ' || machine.machine) from albacore.standing_item item
        join albacore.machine using (machine_id) where item.plan_id = plan.plan_id) as machines
from albacore.pause_plan plan
where customer = :customer and closed_at is null
    and exists (select from albacore.standing_item item where item.plan_id = plan.plan_id)
order by plan.plan_id
