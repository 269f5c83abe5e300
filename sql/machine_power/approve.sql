-- A person's approval, by the code of today's mail.
update albacore.pause_approval set approved_at = :now
where approver = :approver and code_sha256 = :sha256 and approved_at is null
    and asked_at > cast(:now as timestamptz) - interval '24 hours'
    and case_id in (select case_id from albacore.escalation_case where customer = :customer and closed_at is null)
