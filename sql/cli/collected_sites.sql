-- What was collected of each site: nights, readings, energy, and the share of hours that are known.
select collection.site, count(distinct day) as nights, sum(readings)::bigint as readings,
    count(*) filter (where revision > 1) as later_revisions, min(known.kwh) as kwh, min(known.coverage) as coverage
from albacore.collection
join (
    select site, sum(kwh) as kwh, sum(hours_measured + hours_estimated) / sum(hours_expected)::numeric as coverage
    from report.machine_days group by site
) known on known.site = collection.site
group by collection.site
order by collection.site
