-- Who rents which machine, within the month.
create temp table billable_assignments on commit drop as
select assignment.machine_id, machine.site, assignment.customer, customer.currency,
    greatest(from_day, cast(:first_day as date)) as from_day, least(to_day, cast(:last_day as date)) as to_day
from albacore.current_assignment assignment
join albacore.machine using (machine_id)
join albacore.current_customer customer on customer.customer = assignment.customer
where state = 'billable' and from_day <= :last_day and to_day >= :first_day
