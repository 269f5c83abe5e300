-- What stands behind the lines of a document: records, machine-days, collections.
select line.line, line.description, line.amount, document.currency, record.billing_record_id, record.price_kind, record.from_day, record.to_day,
    record.tariff, record.quantity, record.unit, record.unit_price, record.amount as exact_amount, record.wh, machine.site, machine.machine,
    month.billing_run_id, billing_run.registry_version, record.machine_id
from albacore.document
join albacore.document_line line using (document_id)
join albacore.customer_month month using (customer_month_id)
join albacore.billing_run using (billing_run_id)
left join albacore.billing_record record on record.customer_month_id = month.customer_month_id and record.line = line.line
left join albacore.machine on machine.machine_id = record.machine_id
where document.number = :number and (cast(:line as integer) is null or line.line = :line)
order by line.line, machine.site, machine.machine, record.from_day
