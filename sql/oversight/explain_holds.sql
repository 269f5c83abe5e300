-- What keeps or kept a customer or his documents out of escalation.
select number, kind, reason, owner, from_at, until_at, outcome, coalesce(lines, '{}') as lines from report.holds where customer = :customer order by from_at
