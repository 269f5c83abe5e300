-- Commands to machines' power; their effects are written already.
insert into albacore.machine_command (plan_id, machine_id, customer, action, reason, requested_at, effect_id, by_ticket)
select plan_id, machine_id, customer, action, reason, :now, effect.effect_id, by_ticket
from jsonb_to_recordset(cast(:commands as jsonb)) as command (
    plan_id bigint, machine_id integer, customer text, action text, reason text, key text, by_ticket boolean
)
join albacore.effect on effect.business_key = command.key
where effect.effect_id not in (select effect_id from albacore.machine_command where effect_id is not null)
