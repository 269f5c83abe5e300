-- Energy that was billed on estimates, by site and customer.
select site, customer, sum(estimated_kwh) as estimated_kwh, sum(kwh) as kwh
from report.billing_records where month = :month
group by site, customer having sum(estimated_kwh) <> 0
order by site, customer
