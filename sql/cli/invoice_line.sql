-- A line of a customer's invoice of a month, with tax.
select invoices.number, line, description, amount + invoice_lines.tax as amount
from report.invoices join report.invoice_lines using (number)
where invoices.month = :month and customer = :customer and kind = 'invoice' and line = :line
