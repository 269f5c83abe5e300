-- Machine-days that two records of current revisions hold: of two customers, or of two spans.
select one.month, machine.site, machine.machine, one.customer, other.customer as other_customer,
    greatest(one.from_day, other.from_day) as day
from (
    select distinct month, customer, machine_id, from_day, to_day
    from albacore.current_customer_month join albacore.billing_record using (customer_month_id)
    where price_kind = 'energy' and machine_id is not null and month between :first_day and :last_day
) one
join (
    select distinct month, customer, machine_id, from_day, to_day
    from albacore.current_customer_month join albacore.billing_record using (customer_month_id)
    where price_kind = 'energy' and machine_id is not null and month between :first_day and :last_day
) other on other.machine_id = one.machine_id and (other.customer, other.from_day) > (one.customer, one.from_day)
    and other.from_day <= one.to_day and other.to_day >= one.from_day
join albacore.machine on machine.machine_id = one.machine_id
where not exists (  -- a handover that one side can't be corrected for yet shows as pending_correction instead
    select from albacore.customer_month blocked
    where blocked.month = one.month and blocked.customer in (one.customer, other.customer) and blocked.state = 'blocked'
)
order by one.month, machine.site, machine.machine
