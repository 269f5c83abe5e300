-- Ends the holds of a customer, or of one document.
update albacore.hold set released_at = :now, released_by = :actor
where customer = :customer and (cast(:number as text) is null or number = :number) and released_at is null and until_at > :now
