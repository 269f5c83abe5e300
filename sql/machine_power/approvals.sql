-- How many people have approved the pause of a customer's open case.
select count(*) from albacore.pause_approval
join albacore.escalation_case using (case_id)
where customer = :customer and closed_at is null and approved_at > cast(:now as timestamptz) - interval '24 hours'
