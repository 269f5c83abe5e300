-- Appends entries to the chain, in their order; the trigger fills seq and hash under a lock.
insert into albacore.audit_event (seq, at, actor, action, subject, details, hash)
select 0, :now, actor, action, subject, details, ''
from jsonb_to_recordset(cast(:entries as jsonb)) as entry (nth integer, actor text, action text, subject text, details jsonb)
order by nth
