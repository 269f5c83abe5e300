-- Energy of a month, by site and day, for the plots.
select site, day, sum(kwh) as kwh, sum(hours_expected - hours_measured - hours_estimated) as hours_missing
from report.machine_days where day between :first_day and :last_day group by site, day order by site, day
