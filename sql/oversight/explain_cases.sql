-- Where a customer's documents stand, the open ones first.
select number, state, stage, since, next_stage, next_on, amount_overdue, currency, coalesce(reason, '') as reason
from report.cases where customer = :customer
order by state = 'closed', number
