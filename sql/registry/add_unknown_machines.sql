-- A machine that the registry names and its site has not shown yet is known from here on, without first_seen.
insert into albacore.machine (site, machine)
select distinct site, machine from staged
on conflict (site, machine) do nothing
