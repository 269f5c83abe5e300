-- The customer-months that are new or rated anew.
insert into albacore.customer_month (month, customer, revision, state, reason, currency, billing_run_id, content_sha256)
select :first_day, customer, revision, case when blocked is null then 'ready' else 'blocked' end, coalesce(blocked, ''),
    currency, case when blocked is null then cast(:billing_run_id as bigint) end, case when blocked is null then sha256 end
from verdict where action in ('open', 'rewrite')
