-- Where a machine-day's energy went: the records that hold it, and what of it is in none.
select format('record %s: %s %s, revision %s%s', record.billing_record_id, to_char(current.month, 'YYYY-MM'), current.customer,
    current.revision, coalesce(format(', %s line %s', document.number, record.line), ', no document yet')) as words, record.line
from albacore.machine
join albacore.billed_day billed using (machine_id)
join albacore.current_customer_month current using (customer_month_id)
join albacore.billing_record record on record.customer_month_id = current.customer_month_id and record.price_kind = 'energy'
    and record.site = billed.site and coalesce(record.machine_id, billed.machine_id) = billed.machine_id
    and :day between record.from_day and record.to_day
left join lateral (
    select number from albacore.document_line line join albacore.document using (document_id)
    where line.customer_month_id = current.customer_month_id and line.line = record.line limit 1
) document on true
where machine.machine = :machine and billed.day = :day
union all
select format('unbilled: %s kWh, %s%s', coalesce(kwh::text, 'no'), reason, coalesce(' of ' || customer, '')), null
from report.unbilled where machine = :machine and day = :day
order by line, words
