-- Asks a person to approve a pause above the blast radius, once a day.
insert into albacore.pause_approval (case_id, approver, code_sha256, asked_at) values (:case_id, :approver, :sha256, :now)
on conflict (case_id, approver) do update set code_sha256 = excluded.code_sha256, asked_at = excluded.asked_at, approved_at = null
where pause_approval.asked_at < cast(:now as timestamptz) - interval '24 hours'
