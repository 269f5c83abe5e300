-- Machines with a command of this action and outcome; without a site: at any.
select site, machine from report.machine_commands
where action = :action and outcome = :outcome and (cast(:site as text) is null or site = :site)
order by site, machine
