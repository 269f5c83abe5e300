-- A customer's plans, by document: which machines stand and which fell.
select plan_id, number, not_before, fell_why is null as stands, coalesce(fell_why, '') as why,
    array_agg(site || ' ' || machine order by site, machine) as machines
from report.pause_plans where customer = :customer
group by plan_id, number, not_before, fell_why
order by plan_id, number, fell_why
