-- What each customer's policy says of this month: missing hours of a machine that pass unbilled, those that are
-- estimated, and how far from the months before it may be without a person's look.
create temp table customer_policy on commit drop as
select customer, (definition ->> 'accepted_gap_hours')::integer as unbilled_hours,
    coalesce((definition ->> 'estimated_hours')::integer, 0) as hours,
    coalesce((definition ->> 'review_factor')::numeric, 0) as review_factor
from albacore.current_customer
join albacore.policies_on(:first_day) using (policy)
