-- The mails of steps; their effects are written already.
insert into albacore.notice (step_id, recipient, audience, template, effect_id)
select notice.step_id, notice.recipient, notice.audience, notice.template, effect.effect_id
from jsonb_to_recordset(cast(:notices as jsonb)) as notice (
    step_id bigint, recipient text, audience text, template text, key text
)
join albacore.effect on effect.business_key = notice.key
