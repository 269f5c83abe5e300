-- What each customer's policy says of this month: missing hours of a machine that pass unbilled, those that are
-- estimated, and how far from the months before it may be without a person's look.
create temp table customer_policy on commit drop as
select distinct on (customer.customer) customer.customer, (policy.definition ->> 'accepted_gap_hours')::integer as unbilled_hours,
    coalesce((policy.definition ->> 'estimated_hours')::integer, 0) as hours,
    coalesce((policy.definition ->> 'review_factor')::numeric, 0) as review_factor
from albacore.customer
join albacore.policy on policy.policy = customer.policy and policy.until_version is null
where customer.until_version is null
order by customer.customer, (policy.from_day <= :first_day) desc,
    case when policy.from_day <= :first_day then policy.from_day end desc, policy.from_day
