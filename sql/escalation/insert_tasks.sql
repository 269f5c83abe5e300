-- Tasks of people; what has an open one already is left alone.
insert into albacore.task (key, subject, customer, number, what, owner, opened_at, due_by)
select key, subject, customer, number, what, owner, :now, due_by
from jsonb_to_recordset(cast(:tasks as jsonb)) as task (
    key text, subject text, customer text, number text, what text, owner text, due_by timestamptz
)
on conflict (key) where closed_at is null do nothing
returning key
