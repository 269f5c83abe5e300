-- A command that the journal knows and the database does not.
insert into albacore.machine_command (machine_id, customer, action, reason, requested_at, commanded_at, was_on_at, sent_at, outcome, by_ticket)
select machine_id, :customer, :action, 'from the journal: the database is older', :at, :at, :at, :at, 'sent', :by_ticket
from albacore.machine
where site = :site and machine = :machine
