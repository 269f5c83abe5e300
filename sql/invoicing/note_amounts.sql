-- What Xero said of a document when it was asked at :asked; nothing where a later question was answered already.
update albacore.document
set amount_due = :due, amount_paid = :paid, amount_credited = :credited, as_of = :asked, state = :state
where document_id = :document_id and (as_of is null or as_of <= :asked or as_of > :now)
