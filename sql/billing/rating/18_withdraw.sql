-- Takes away what has no document yet and is rated anew, or no longer needed.
delete from albacore.customer_month using rating_result
where customer_month.customer_month_id = rating_result.customer_month_id and action in ('rewrite', 'withdraw')
