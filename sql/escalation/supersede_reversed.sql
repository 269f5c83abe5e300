-- Money that was taken back: the document begins again at its first notice.
update albacore.escalation_claim claim set superseded_at = :now, superseded_why = 'the payment was reversed'
from albacore.escalation_step step, albacore.document
where step.step_id = claim.step_id and document.number = claim.number and superseded_at is null
    and exists (
        select from albacore.payment_event event
        where event.document_id = document.document_id and event.kind = 'reversal' and event.seen_at > step.decided_at
    )
returning claim.number
