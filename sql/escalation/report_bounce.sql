-- A mail that came back.
update albacore.notice set bounced_at = :now
where bounced_at is null and effect_id in (
    select effect_id from albacore.effect where kind = 'mail' and answer ->> 'message_id' = :message_id
)
returning step_id
