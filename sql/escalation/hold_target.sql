-- Whether a customer is known, and a document his.
select exists (select from albacore.customer where customer = :customer)
    and (cast(:number as text) is null or exists (
        select from albacore.document where number = :number and customer = :customer
    ))
