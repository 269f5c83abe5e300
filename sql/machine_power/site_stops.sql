-- Sites at which nothing is paused.
select site, reason from albacore.site_stop where cleared_at is null
