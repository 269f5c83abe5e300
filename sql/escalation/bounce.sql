-- Mails that came back or were refused, with what they were.
with returned as (
    insert into albacore.mail_bounce (effect_id, bounced_at, why)
    select effect_id, :now, coalesce(error, :why) from albacore.effect where effect_id = any(:effects)
    on conflict (effect_id) do nothing
    returning effect_id
),
noticed as (
    update albacore.notice set bounced_at = :now from returned where notice.effect_id = returned.effect_id
    returning notice.effect_id, step_id, audience
)
select effect.effect_id, coalesce(step.customer, document.customer) as customer, effect.number, step.step_id, step.stage,
    step.owner, noticed.audience, effect.payload ->> 'to' as recipient, coalesce(effect.error, :why) as why
from returned
join albacore.effect using (effect_id)
left join noticed using (effect_id)
left join albacore.escalation_step step on step.step_id = noticed.step_id
left join albacore.document on document.number = effect.number
