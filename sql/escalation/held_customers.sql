-- Customers that are on hold as a whole.
select distinct customer from albacore.hold
where number is null and released_at is null and from_at <= :now and until_at > :now and customer = any(:customers)
