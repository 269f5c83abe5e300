-- The machines that notices name.
insert into albacore.step_machine (step_id, machine_id, number)
select step_id, machine_id, number
from jsonb_to_recordset(cast(:machines as jsonb)) as named (step_id bigint, machine_id integer, number text)
