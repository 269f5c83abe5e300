-- A case for every unpaid document that has none.
insert into albacore.escalation_case (number, customer, opened_at)
select unpaid.number, unpaid.customer, :now
from albacore.unpaid_document unpaid
where (cast(:customers as text[]) is null or unpaid.customer = any(:customers))
    and not exists (select from albacore.write_off where write_off.number = unpaid.number)
    and not exists (select from albacore.escalation_case where escalation_case.number = unpaid.number and closed_at is null)
