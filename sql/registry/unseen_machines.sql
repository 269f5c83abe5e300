-- Machines that somebody rents and that no site has shown yet: the first few, with the count of all.
select site, machine, count(*) over () as machines
from albacore.machine
where first_seen is null
    and machine_id in (select machine_id from albacore.current_assignment)
order by site, machine
limit 5
