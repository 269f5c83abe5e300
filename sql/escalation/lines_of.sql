-- The lines of a document.
select line from albacore.document_line join albacore.document using (document_id) where number = :number order by line
