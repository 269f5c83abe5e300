-- A machine that the registry names and its site has not shown yet is known from here on, without first_seen.
insert into albacore.machine (site, machine)
select distinct site, machine from staged
where not exists (select from albacore.machine known where known.site = staged.site and known.machine = staged.machine)
on conflict (site, machine) do nothing -- a collection may find it at the same time
