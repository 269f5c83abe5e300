-- How often it was promised to pay: a document, or what a customer owes as a whole since his last case began.
select count(*) from albacore.hold
where customer = :customer and kind = 'promise_to_pay' and number is not distinct from cast(:number as text)
    and (number is not null or from_at >= (
        select max(opened_at) from albacore.escalation_case
        where escalation_case.customer = hold.customer and closed_at is null
    ))
