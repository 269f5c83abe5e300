-- The mails of a document, the first one first.
select effect_id, payload from albacore.effect where kind = 'mail' and number = :number order by effect_id
