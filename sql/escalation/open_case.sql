-- The customer's open case, made where there is none.
with made as (
    insert into albacore.escalation_case (customer, opened_at) values (:customer, :now)
    on conflict (customer) where closed_at is null do nothing
    returning case_id
)
select case_id from made
union all
select case_id from albacore.escalation_case where customer = :customer and closed_at is null
limit 1
