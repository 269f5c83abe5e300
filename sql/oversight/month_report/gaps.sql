-- Hours of a month that nobody knows, by site and customer, and whether a person accepted them.
select site, coalesce(customer, '') as customer, state, reason, count(distinct machine) as machines,
    sum(hours_missing) as hours, min(day) as first_day, max(day) as last_day
from report.gaps where day between :first_day and :last_day
group by site, customer, state, reason
order by site, customer, state, reason
