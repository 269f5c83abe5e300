-- Plans that stand and whose approval nobody was asked for, by site how many machines each has.
select plan.plan_id, plan.customer, customer.policy, site, count(distinct item.machine_id)::integer as machines
from albacore.pause_plan plan
join albacore.known_customer customer using (customer)
join albacore.standing_item item using (plan_id)
join albacore.machine on machine.machine_id = item.machine_id
where not exists (select from albacore.plan_approval approval where approval.plan_id = plan.plan_id)
group by plan.plan_id, plan.customer, customer.policy, site
order by plan.plan_id, site
