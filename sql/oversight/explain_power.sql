-- What became of a customer's machines.
select site, machine, action, reason, requested_at, outcome from report.machine_commands where customer = :customer
order by requested_at, action, reason, outcome, site, machine
