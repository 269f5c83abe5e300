-- Which machines the newest inventory lists, and which have appeared or vanished since the one before. A site's first
-- inventory, before which no machine is listed, tells of no change.
with before as (
    select machine_id, machine, listed, bool_or(listed) over () as known from albacore.machine where site = :site
),
relisted as (
    update albacore.machine set listed = not before.listed
    from before
    where machine.machine_id = before.machine_id and before.listed <> (before.machine = any(cast(:machines as text[])))
    returning machine.machine_id, before.machine, before.known, machine.listed
),
change as (
    insert into albacore.inventory_change (machine_id, day, seen_at, field, old_value, new_value)
    select machine_id, :day, :now, 'listed', not listed, listed from relisted where known
)
select machine, 'listed' as field, (not listed)::text as old_value, listed::text as new_value
from relisted where known order by machine
