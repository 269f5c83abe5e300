-- The mail that was sent under a Message-ID.
select effect_id from albacore.effect where kind = any(:kinds) and answer ->> 'message_id' = :message_id
