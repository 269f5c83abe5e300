-- The stages that documents have come to, as they were decided.
select customer, stage, number, claimed, decided_at, delivered_at, owner
from report.escalation order by decided_at, customer, number
