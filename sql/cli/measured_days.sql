-- Machine-days of a site of which every hour was measured.
select machine, day, kwh from report.machine_days
where site = :site and day between :first_day and :last_day and hours_measured = hours_expected
order by machine, day
