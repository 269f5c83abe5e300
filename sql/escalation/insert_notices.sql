-- The mails of steps.
insert into albacore.notice (step_id, recipient, audience, template, effect_id)
select step_id, recipient, audience, template, effect_id
from jsonb_to_recordset(cast(:notices as jsonb)) as notice (
    step_id bigint, recipient text, audience text, template text, effect_id bigint
)
