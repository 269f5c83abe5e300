-- Ends open tasks.
update albacore.task set closed_at = :now, closed_by = :actor, closed_why = :why
where key = any(:keys) and closed_at is null
returning key
