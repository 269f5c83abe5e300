-- Opens a version of the registry.
insert into albacore.registry_version (version, content_sha256, loaded_at, actor, reason)
values (:version, :sha256, :now, :actor, :reason)
