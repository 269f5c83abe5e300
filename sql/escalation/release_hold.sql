-- Ends the holds of a customer, of one document, or of one kind.
update albacore.hold set released_at = :now, released_by = :actor, outcome = :outcome
where customer = :customer and (cast(:number as text) is null or number = :number)
    and (cast(:kind as text) is null or kind = :kind) and released_at is null and until_at > :now
