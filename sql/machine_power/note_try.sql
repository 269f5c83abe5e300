-- A try of an approver's code; approved where it was right.
update albacore.plan_approval set tries = tries + 1,
    approved_at = case when :right then cast(:now as timestamptz) end, actor = case when :right then :actor end
where plan_id = :plan_id and approver = :approver
