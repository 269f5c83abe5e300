-- Energy of a month, by day, for the plot.
select day, sum(kwh) as kwh from report.machine_days where day between :first_day and :last_day group by day order by day
