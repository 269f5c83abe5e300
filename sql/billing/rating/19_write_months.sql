-- The customer-months that are new or rated anew.
insert into albacore.customer_month (month, customer, revision, state, reason, currency, billing_run_id, content_sha256,
    rated_machine_days, rated_wh, rated_amount)
select :first_day, customer, revision, case when blocked is null then 'ready' else 'blocked' end, coalesce(blocked, ''),
    currency, case when blocked is null then cast(:billing_run_id as bigint) end, case when blocked is null then sha256 end,
    case when blocked is null then coalesce(machine_days, 0) end, case when blocked is null then coalesce(wh, 0) end,
    case when blocked is null then coalesce(amount, 0) end
from rating_result
left join (select customer, sum(to_day - from_day + 1) as machine_days from span group by customer) assigned using (customer)
left join (select customer, sum(wh) as wh, sum(amount) as amount from rated_record group by customer) owed using (customer)
where action in ('open', 'rewrite')
