-- Pauses nothing more at a site.
insert into albacore.site_stop (site, stopped_at, reason) values (:site, :now, :reason)
on conflict (site) where cleared_at is null do nothing
returning site
