-- How many mails of steps and tickets wait to be sent.
select count(*) from albacore.effect
where kind = :kind and state in ('prepared', 'sending', 'unknown') and (next_try_at <= :now or state = 'sending')
