-- What stands of the plans.
select plan_id, machine_id, number from albacore.standing_item order by plan_id, machine_id, number
