-- The statements that came with documents, as their mails had them: name and sha256 of each file.
select distinct on (number) number, payload -> 'attachments' as files
from albacore.effect
where kind = 'mail' and state = 'done' and number = any(:numbers) and payload ? 'attachments'
order by number, effect_id desc
