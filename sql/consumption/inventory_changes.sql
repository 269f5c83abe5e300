-- What the site says otherwise than before about machines that it has shown already. An inventory as of a day before
-- the newest one changes nothing, and what the site no longer says is kept. To be run before upsert_machines.
with change as (
    insert into albacore.inventory_change (machine_id, day, seen_at, field, old_value, new_value)
    select machine_id, :day, :now, field, old_value, new_value
    from unnest(cast(:machines as text[]), cast(:rated_watts as integer[]), cast(:serials as text[]), cast(:models as text[]))
        as seen (machine, rated_watts, serial, model)
    join albacore.machine using (machine)
    cross join lateral (values
        ('rated_watts', machine.rated_watts::text, seen.rated_watts::text),
        ('serial', machine.serial, seen.serial),
        ('model', machine.model, seen.model)
    ) as stated (field, old_value, new_value)
    where site = :site and first_seen is not null and :day >= last_seen
        and new_value is not null and new_value is distinct from old_value
    returning machine_id, field, old_value, new_value
)
select machine, field, old_value, new_value from change join albacore.machine using (machine_id) order by machine, field
