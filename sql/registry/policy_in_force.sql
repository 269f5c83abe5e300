-- A policy as it is on a day.
select definition, from_day from albacore.policies_on(:today) where policy = :name
