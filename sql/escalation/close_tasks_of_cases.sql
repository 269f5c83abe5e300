-- Ends the tasks of the steps of cases that are over.
update albacore.task set closed_at = :now, closed_by = 'pipeline', closed_why = 'the case is over'
where closed_at is null and key in (
    select 'step:' || step_id from albacore.escalation_claim where case_id = any(:cases)
)
