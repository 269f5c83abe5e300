-- What Xero says of a document now.
update albacore.document
set amount_due = :due, amount_paid = :paid, amount_credited = :credited, as_of = :now, state = :state
where document_id = :document_id
