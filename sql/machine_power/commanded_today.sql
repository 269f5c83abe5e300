-- The blast radius so far: pauses asked for at each site since its local midnight, and whose.
select machine.site, machine_command.customer, count(*) as machines
from albacore.machine_command
join albacore.machine using (machine_id)
join albacore.site using (site)
where action = 'pause' and outcome in ('requested', 'sent', 'verified')
    and (requested_at at time zone site.timezone)::date = (cast(:now as timestamptz) at time zone site.timezone)::date
group by machine.site, machine_command.customer
