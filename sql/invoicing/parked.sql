-- The document needs a person.
update albacore.document set state = 'parked' where number = :number
