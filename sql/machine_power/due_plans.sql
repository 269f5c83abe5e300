-- Plans that stand and whose promised day has come, with what of them is not commanded yet.
select plan.plan_id, plan.customer, item.machine_id, machine.site, machine.machine, array_agg(item.number order by item.number) as numbers
from albacore.pause_plan plan
join albacore.standing_item item using (plan_id)
join albacore.machine on machine.machine_id = item.machine_id
where plan.not_before <= cast(:now as timestamptz)::date and not exists (
    select from albacore.machine_command command where command.plan_id = plan.plan_id and command.machine_id = item.machine_id
)
group by plan.plan_id, plan.customer, item.machine_id, machine.site, machine.machine
order by plan.plan_id, machine.site, machine.machine
