-- How many mails of steps and tickets wait to be sent.
select count(*) from albacore.effect where kind = :kind and albacore.is_due(state, next_try_at, :now)
