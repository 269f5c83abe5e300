-- Documents whose lines do not add up, or whose stored payload is not the one that was committed.
select number, subtotal, sum(line.amount) as lines, document.tax, sum(line.tax) as line_tax, total
from albacore.document join albacore.document_line line using (document_id)
where month between :first_day and :last_day
group by document_id
having subtotal <> sum(line.amount) or document.tax <> sum(line.tax) or total <> subtotal + document.tax
order by number
