-- The lines of a document.
select line.description, line.quantity, line.unit, line.unit_price, line.amount, line.tax_type, line.tax
from albacore.document_line line join albacore.document using (document_id)
where number = :number
order by line.line
