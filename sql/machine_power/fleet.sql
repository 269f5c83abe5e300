-- How many machines each site has.
select site, count(*) as machines from albacore.machine where last_seen is not null group by site
