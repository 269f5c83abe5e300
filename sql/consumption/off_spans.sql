-- When machines of a site stood still by a verified power-off, as far as that lies between two instants; spans that
-- overlap are one.
select machine, rated_watts, lower(span) as from_at, upper(span) as to_at
from (
    select machine, rated_watts, range_agg(tstzrange(greatest(from_at, :start), least(to_at, :end))) as spans
    from albacore.off_span join albacore.machine using (machine_id)
    where site = :site and from_at < :end and coalesce(to_at, 'infinity') > greatest(from_at, :start)
    group by machine, rated_watts
) off
cross join lateral unnest(spans) as span
order by machine, from_at
