-- Customers that are on hold as a whole.
select distinct customer from albacore.holds_at(:now) where number is null and customer = any(:customers)
