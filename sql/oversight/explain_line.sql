-- What stands behind the lines of a document, or behind one record: records, ratings, registry versions.
select document.number, line.line, line.description, line.amount, month.currency, record.billing_record_id, record.price_kind, record.from_day,
    record.to_day, record.tariff, record.band, record.quantity, record.unit, record.unit_price, record.averaged,
    record.amount as exact_amount, record.wh, record.site, machine.machine, month.customer, month.month, month.revision,
    month.billing_run_id, billing_run.registry_version, record.machine_id
from albacore.customer_month month
join albacore.billing_run using (billing_run_id)
left join albacore.document_line line using (customer_month_id)
left join albacore.document using (document_id)
left join albacore.billing_record record on record.customer_month_id = month.customer_month_id
    and (record.line = line.line or line.line is null)
left join albacore.machine on machine.machine_id = record.machine_id
where (document.number = :number and (cast(:line as integer) is null or line.line = :line))
    or record.billing_record_id = :record
order by line.line, record.site, machine.machine, record.from_day, record.band
