-- What the registry knows better about a site's machines.
select machine, machine_rating.rated_watts
from albacore.machine_rating join albacore.machine using (machine_id)
where site = :site and until_version is null and machine_rating.rated_watts is not null
