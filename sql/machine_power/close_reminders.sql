-- Ends the reminders of a ticket, but for one.
update albacore.task set closed_at = :now, closed_by = 'pipeline', closed_why = 'answered, or said again'
where closed_at is null and key like :about || ':%' and key <> :but
