-- The blast radius so far: machines of each customer that we resolved to pause since each site's local midnight, but for
-- those of these effects, which are asked about. A ticket counts when it is written.
select machine.site, machine_command.customer, count(distinct machine_id)::integer as machines
from albacore.machine_command
join albacore.machine using (machine_id)
join albacore.site using (site)
where action = 'pause' and commanded_at is not null and effect_id <> all(:but)
    and (commanded_at at time zone site.timezone)::date = (cast(:now as timestamptz) at time zone site.timezone)::date
group by machine.site, machine_command.customer
