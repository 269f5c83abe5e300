-- Enters a stage, once a case.
insert into albacore.escalation_step (case_id, number, stage, decided_at, policy, policy_from, facts, facts_sha256, owner, due_by, acts_after)
values (:case_id, :number, :stage, :now, :policy, :policy_from, cast(:facts as jsonb), :facts_sha256, :owner, :due_by, :acts_after)
on conflict (case_id, stage) do nothing
returning step_id
