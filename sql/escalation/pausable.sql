-- The machines that a customer's debt may pause: on an unpaid document that is not held, and the customer's today.
select distinct machine.machine_id, machine.site, machine.machine
from albacore.document
join albacore.billing_record using (customer_month_id)
join albacore.machine using (machine_id)
join albacore.site on site.site = machine.site
join albacore.assignment on assignment.machine_id = machine.machine_id and assignment.customer = document.customer
    and assignment.until_version is null
    and (cast(:now as timestamptz) at time zone site.timezone)::date between assignment.from_day and assignment.to_day
where document.customer = :customer and document.state = 'issued' and document.kind <> 'credit_note' and document.amount_due > 0
    and document.due_on < cast(:now as timestamptz)::date
    and not exists (
        select from albacore.hold
        where hold.number = document.number and released_at is null and from_at <= :now and until_at > :now
    )
order by machine.site, machine.machine
