-- A small correction waits for the customer's next invoice.
update albacore.customer_month set waits = 'carry', reason = concat_ws('; ', nullif(reason, ''), 'carried to the next invoice: ' || :amount)
where customer_month_id = :customer_month_id
