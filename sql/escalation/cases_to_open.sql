-- How many unpaid documents have no case.
select count(*)
from albacore.unpaid_document unpaid
where not exists (select from albacore.write_off where write_off.number = unpaid.number)
    and not exists (select from albacore.escalation_case where escalation_case.number = unpaid.number and closed_at is null)
