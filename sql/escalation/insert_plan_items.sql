-- What the plans of these steps consist of: the machines that their notices named.
insert into albacore.pause_plan_item (plan_id, machine_id, number)
select plan_id, machine_id, number
from albacore.pause_plan join albacore.step_machine using (step_id)
where step_id = any(:steps)
