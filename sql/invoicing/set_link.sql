-- Keeps a payment link.
update albacore.document set payment_link = :link where number = :number
