-- How the holds ended that a customer has had; empty: it holds, or it expired.
select coalesce(outcome, '') as outcome from report.holds where customer = :customer order by from_at
