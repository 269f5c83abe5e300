-- The machines that a customer's debt may pause: on an unpaid document that is not held, and the customer's today.
select distinct machine.machine_id, machine.site, machine.machine
from albacore.unpaid_document document
join albacore.billing_record using (customer_month_id)
join albacore.machine using (machine_id)
join albacore.assigned_at(:now) assigned on assigned.machine_id = machine.machine_id and assigned.customer = document.customer
where document.customer = :customer and document.due_on < cast(:now as timestamptz)::date
    and not exists (select from albacore.holds_at(:now) hold where hold.number = document.number)
order by machine.site, machine.machine
