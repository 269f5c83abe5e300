-- The customers of a month.
select customer from report.customer_months where month = :month order by customer
