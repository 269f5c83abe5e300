-- Ends the customer's open case.
update albacore.escalation_case set closed_at = :now, outcome = :reason
where customer = :customer and closed_at is null
returning case_id
