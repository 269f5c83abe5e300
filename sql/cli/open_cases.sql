-- The documents that are not paid, and where they stand.
select customer, number, stage, coalesce(state, '') as state, coalesce(reason, '') as reason, next_stage, next_on
from report.cases where state is distinct from 'closed' order by customer, number
