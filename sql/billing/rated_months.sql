-- Months that were rated.
select distinct month from albacore.billing_run order by month
