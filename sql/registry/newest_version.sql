-- The registry in force.
select version, content_sha256 from albacore.registry_version order by version desc limit 1
