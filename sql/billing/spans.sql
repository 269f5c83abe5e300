-- Who rents which machine at which tariff: assignments cut by the month and by the days on which a tariff changes.
-- The most specific tariff wins: customer and site, customer, site, default. Without one, tariff_id is empty.
-- closing_tariff_id is the one that holds there on the month's last day, whoever has the machine by then.
create temp table span on commit drop as
with rented as (
    select assignment.machine_id, machine.site, assignment.customer, customer.currency,
        greatest(from_day, cast(:first_day as date)) as from_day, least(to_day, cast(:last_day as date)) as to_day
    from albacore.assignment
    join albacore.machine using (machine_id)
    join albacore.customer on customer.customer = assignment.customer and customer.until_version is null
    where assignment.until_version is null and state = 'billable' and from_day <= :last_day and to_day >= :first_day
),
place as (
    select distinct customer, site, currency from rented
),
tariff as materialized (
    select tariff_id, customer, site, currency, from_day, to_day
    from albacore.tariff where until_version is null and from_day <= :last_day and to_day >= :first_day
),
candidate as (  -- four equalities, which hash; one join with `or` would not
    select place.customer, place.site, tariff_id, from_day, to_day, 1 as rank
    from place join tariff using (customer, site, currency)
    union all
    select place.customer, place.site, tariff_id, from_day, to_day, 2
    from place join tariff using (customer, currency) where tariff.site is null
    union all
    select place.customer, place.site, tariff_id, from_day, to_day, 3
    from place join tariff using (site, currency) where tariff.customer is null
    union all
    select place.customer, place.site, tariff_id, from_day, to_day, 4
    from place join tariff using (currency) where tariff.customer is null and tariff.site is null
),
begin as (
    select customer, site, cast(:first_day as date) as day from place
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
priced as (
    select distinct on (stretch.customer, stretch.site, stretch.from_day) stretch.*, tariff_id
    from stretch
    left join candidate on candidate.customer = stretch.customer and candidate.site = stretch.site
        and stretch.from_day between candidate.from_day and candidate.to_day
    order by stretch.customer, stretch.site, stretch.from_day, rank
)
select rented.customer, rented.site, rented.currency, rented.machine_id, priced.tariff_id,
    closing.tariff_id as closing_tariff_id,
    greatest(rented.from_day, priced.from_day) as from_day, least(rented.to_day, priced.to_day) as to_day
from rented
join priced on priced.customer = rented.customer and priced.site = rented.site
    and priced.from_day <= rented.to_day and priced.to_day >= rented.from_day
join priced closing on closing.customer = rented.customer and closing.site = rented.site and closing.to_day = :last_day
