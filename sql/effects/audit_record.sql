-- Appends to the chain; the trigger fills seq and hash under a lock.
insert into albacore.audit_event (seq, at, actor, action, subject, details, hash)
values (0, :now, :actor, :action, :subject, cast(:details as jsonb), '')
