-- A person has looked: pausing at the site goes on.
update albacore.site_stop set cleared_at = :now, cleared_by = :actor where site = :site and cleared_at is null
