-- What the registry knows better about a site's machines.
select machine, rating.rated_watts
from albacore.current_machine_rating rating join albacore.machine using (machine_id)
where site = :site and rating.rated_watts is not null
