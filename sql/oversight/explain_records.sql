-- The records behind the lines of a document, or one record wherever it stands, with the rating that they came of.
select document.number, record.line, record.billing_record_id, record.price_kind, record.from_day, record.to_day, record.tariff,
    record.band, record.quantity, record.unit, record.unit_price, record.averaged, record.amount, record.site, machine.machine,
    month.customer, month.month, month.revision, month.billing_run_id, billing_run.registry_version, record.machine_id
from albacore.billing_record record
join albacore.customer_month month using (customer_month_id)
join albacore.billing_run using (billing_run_id)
left join albacore.document_line line on line.customer_month_id = record.customer_month_id and line.line = record.line
left join albacore.document using (document_id)
left join albacore.machine on machine.machine_id = record.machine_id
where (document.number = :number and (cast(:line as integer) is null or record.line = :line))
    or record.billing_record_id = :record
order by record.line, record.site, machine.machine, record.from_day, record.band
