-- Plans that are over though nothing was paused, whose notice reached the customer and was not said anew.
select plan.plan_id, plan.customer, plan.made_at, min(item.fell_why) as why, array_agg(distinct item.number) as numbers
from albacore.pause_plan plan
join albacore.pause_plan_item item using (plan_id)
join albacore.step_delivery delivery on delivery.step_id = plan.step_id
where plan.closed_at is not null and plan.told_at is null and delivery.sent_at is not null and not came_back
    and fell_why not like 'announced again%' and fell_why not like 'its notice was withdrawn%' and not exists (
        select from albacore.machine_command command where command.plan_id = plan.plan_id and commanded_at is not null
    )
group by plan.plan_id, plan.customer, plan.made_at
order by plan.plan_id
