-- The mails of a step that have not left.
update albacore.effect set state = 'cancelled', error = :why, settled_at = :now
where state = 'prepared' and effect_id in (select effect_id from albacore.notice where step_id = :step_id)
