-- Mails that the relay refused and that nobody was told of.
select effect_id from albacore.effect
where kind = any(:kinds) and state = 'parked' and effect_id not in (select effect_id from albacore.mail_bounce)
