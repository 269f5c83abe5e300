-- A plan of which nothing stands is over.
update albacore.pause_plan plan set closed_at = :now, closed_why = 'nothing of it stands'
where closed_at is null and not exists (
    select from albacore.pause_plan_item item where item.plan_id = plan.plan_id and fell_at is null
)
