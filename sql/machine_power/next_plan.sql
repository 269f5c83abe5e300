-- The next plan whose day is still to come.
select plan_id, customer, not_before
from albacore.pause_plan
where closed_at is null and not_before > cast(:now as timestamptz)::date
order by not_before, plan_id
limit 1
