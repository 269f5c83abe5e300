-- Which tariff holds for a customer at a site from when to when: the month cut by the days on which a tariff changes.
-- The most specific tariff wins: customer and site, customer, site, default. Without one, tariff_id is empty.
create temp table tariff_periods on commit drop as
with customer_site as (
    select distinct customer, site, currency from billable_assignments
),
offered as materialized (
    select tariff_id, customer, site, currency, from_day, to_day
    from albacore.current_tariff where from_day <= :last_day and to_day >= :first_day
),
candidate as (  -- four equalities, which hash; one join with `or` would not
    select customer_site.customer, customer_site.site, tariff_id, from_day, to_day, 1 as rank
    from customer_site join offered using (customer, site, currency)
    union all
    select customer_site.customer, customer_site.site, tariff_id, from_day, to_day, 2
    from customer_site join offered using (customer, currency) where offered.site is null
    union all
    select customer_site.customer, customer_site.site, tariff_id, from_day, to_day, 3
    from customer_site join offered using (site, currency) where offered.customer is null
    union all
    select customer_site.customer, customer_site.site, tariff_id, from_day, to_day, 4
    from customer_site join offered using (currency) where offered.customer is null and offered.site is null
),
begin as (
    select customer, site, cast(:first_day as date) as day from customer_site
    union
    select customer, site, from_day from candidate where from_day > :first_day
    union
    select customer, site, to_day + 1 from candidate where to_day < :last_day
),
stretch as (
    select customer, site, day as from_day,
        lead(day, 1, cast(:last_day as date) + 1) over (partition by customer, site order by day) - 1 as to_day
    from begin
),
won as (
    select distinct on (stretch.customer, stretch.site, stretch.from_day) stretch.*, tariff_id
    from stretch
    left join candidate on candidate.customer = stretch.customer and candidate.site = stretch.site
        and stretch.from_day between candidate.from_day and candidate.to_day
    order by stretch.customer, stretch.site, stretch.from_day, rank
),
compared as (
    select won.*, tariff_id is distinct from lag(tariff_id) over in_order or from_day = :first_day as changes
    from won window in_order as (partition by customer, site order by from_day)
),
numbered as (  -- a tariff that loses to another one there cuts nothing
    select compared.*, count(*) filter (where changes) over (partition by customer, site order by from_day) as part
    from compared
)
select customer, site, min(from_day) as from_day, max(to_day) as to_day, tariff_id
from numbered
group by customer, site, part, tariff_id
