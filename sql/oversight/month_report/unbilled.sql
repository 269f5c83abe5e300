-- Energy of a month that stands in no billing record, by reason and site.
select reason, site, count(distinct machine) as machines, count(*) as machine_days, sum(kwh) as kwh
from report.unbilled where month = :month group by reason, site order by reason, site
