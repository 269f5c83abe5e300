-- The customer of an invoice or a supplement that was issued.
select customer from albacore.document where number = :number and kind <> 'credit_note' and state in ('issued', 'paid')
