-- The customer has been told that these plans are off.
update albacore.pause_plan set told_at = :now where plan_id = any(:plans)
