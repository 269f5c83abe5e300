-- Customers of whose plans something stands.
select distinct customer from albacore.standing_item order by customer
