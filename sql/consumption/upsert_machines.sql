-- The inventory of a site as of a day; what the site no longer says is kept.
insert into albacore.machine (site, machine, rated_watts, serial, model, first_seen, last_seen)
select :site, machine, rated_watts, serial, model, :day, :day
from unnest(cast(:machines as text[]), cast(:rated_watts as integer[]), cast(:serials as text[]), cast(:models as text[]))
    as seen (machine, rated_watts, serial, model)
on conflict (site, machine) do update set
    rated_watts = case when excluded.last_seen >= coalesce(machine.last_seen, excluded.last_seen)
        then coalesce(excluded.rated_watts, machine.rated_watts) else machine.rated_watts end,
    serial = case when excluded.last_seen >= coalesce(machine.last_seen, excluded.last_seen)
        then coalesce(excluded.serial, machine.serial) else machine.serial end,
    model = case when excluded.last_seen >= coalesce(machine.last_seen, excluded.last_seen)
        then coalesce(excluded.model, machine.model) else machine.model end,
    first_seen = least(machine.first_seen, excluded.first_seen),
    last_seen = greatest(machine.last_seen, excluded.last_seen)
where (machine.rated_watts, machine.serial, machine.model) is distinct from (excluded.rated_watts, excluded.serial, excluded.model)
    or machine.first_seen is null or not excluded.last_seen between machine.first_seen and machine.last_seen
