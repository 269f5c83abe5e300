-- Makes plans fall for good: of a customer, or for one document; those that stand.
update albacore.pause_plan_item item set fell_at = :now, fell_why = :why
from albacore.pause_plan plan
where plan.plan_id = item.plan_id and plan.customer = :customer and closed_at is null and fell_at is null
    and (cast(:number as text) is null or item.number = :number)
returning item.number
