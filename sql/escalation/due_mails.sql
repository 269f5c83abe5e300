-- How many mails of these kinds wait to be sent.
select count(*) from albacore.effect where kind = any(:kinds) and albacore.is_due(state, next_try_at, :now)
