-- The version of a policy for a day; before the first version, the first one.
select definition, from_day from albacore.policy
where policy = :name and until_version is null
order by (from_day <= :today) desc, case when from_day <= :today then from_day end desc, from_day
limit 1
