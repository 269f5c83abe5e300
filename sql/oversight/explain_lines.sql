-- The lines of a document, or one of them.
select line.line, line.description, line.amount, document.currency
from albacore.document_line line join albacore.document using (document_id)
where document.number = :number and (cast(:line as integer) is null or line.line = :line)
order by line.line
