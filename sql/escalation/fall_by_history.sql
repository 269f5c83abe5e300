-- What makes a plan fall once makes it fall for good, seen or not: a hold since it was made, a notice or an invoice that
-- came back, a payment that was reversed.
update albacore.pause_plan_item item set fell_at = :now, fell_why = cause.why
from albacore.pause_plan plan
join albacore.escalation_step step using (step_id)
cross join lateral (
    select document.number, document.document_id from albacore.document
    where document.number in (select number from albacore.pause_plan_item listed where listed.plan_id = plan.plan_id and listed.fell_at is null)
) document
cross join lateral (
    select format('on hold (%s): %s', kind, reason) as why from albacore.hold
    where hold.customer = plan.customer and (hold.number is null or (hold.number = document.number and lines is null))
        and coalesce(released_at, until_at) > plan.made_at
    union all
    select 'a notice came back' from albacore.notice
    join albacore.escalation_claim claim on claim.step_id = notice.step_id and claim.number = document.number
    where audience = 'customer' and bounced_at is not null and superseded_at is null
    union all
    select 'the payment was reversed' from albacore.payment_event event
    where event.document_id = document.document_id and event.kind = 'reversal' and event.seen_at > plan.made_at
    limit 1
) cause
where plan.plan_id = item.plan_id and item.number = document.number and plan.closed_at is null and item.fell_at is null
