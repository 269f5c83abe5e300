-- Lines that correct an earlier bill: of this month, or on a document that was issued in it.
select line.month, invoice.number, invoice.kind, invoice.customer, invoice.issued_on, line.description, line.amount,
    invoice.currency, invoice.state
from report.invoice_lines line join report.invoices invoice using (number)
where (invoice.kind <> 'invoice' or line.month <> invoice.month)
    and (line.month = :month or to_char(invoice.issued_on, 'YYYY-MM') = :month)
order by invoice.issued_on, invoice.number, line.line
