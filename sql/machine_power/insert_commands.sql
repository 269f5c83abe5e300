-- Commands to machines' power; what has one already for its effect is left alone.
insert into albacore.machine_command (plan_id, machine_id, customer, action, reason, requested_at, effect_id, by_ticket)
select plan_id, machine_id, customer, action, reason, :now, effect_id, by_ticket
from jsonb_to_recordset(cast(:commands as jsonb)) as command (
    plan_id bigint, machine_id integer, customer text, action text, reason text, effect_id bigint, by_ticket boolean
)
where effect_id not in (select effect_id from albacore.machine_command where effect_id is not null)
