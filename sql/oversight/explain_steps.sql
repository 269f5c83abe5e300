-- What a customer was told of his documents, stage by stage.
select number, stage, decided_at, sent_at, delivered_at, claimed, outcome, coalesce(ended_why, '') as ended_why
from report.escalation where customer = :customer
order by number, decided_at
