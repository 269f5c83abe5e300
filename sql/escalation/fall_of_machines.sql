-- Strikes machines from the plans that stand: no longer the debtor's, not rented, or on nothing that still is claimed.
update albacore.pause_plan_item item set fell_at = :now, fell_why = 'the machine is no longer the debtor''s, or stands on nothing that is still claimed'
from albacore.standing_item standing
where item.plan_id = standing.plan_id and item.machine_id = standing.machine_id and item.number = standing.number
    and not exists (
        select from albacore.pausable_at(:now, array(select number from albacore.standing_item)) pausable
        where pausable.number = standing.number and pausable.machine_id = standing.machine_id
    )
