-- The mail of a document is to be sent once more: its bounce stops nothing any longer.
update albacore.mail_bounce set mended_at = :now
from albacore.effect
where effect.effect_id = mail_bounce.effect_id and effect.number = :number and mended_at is null
