-- A scheduled pause that a person stops.
update albacore.escalation_step set outcome = 'vetoed'
where stage = 'pause_scheduled' and outcome = 'open'
    and case_id in (select case_id from albacore.escalation_case where customer = :customer and closed_at is null)
