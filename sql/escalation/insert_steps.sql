-- Stages that customers enter, one step each.
insert into albacore.escalation_step (customer, stage, does, decided_at, policy, policy_from, owner, due_by, currency, claimed, set_against, not_before)
select customer, stage, does, :now, policy, policy_from, owner, due_by, currency, claimed, set_against, not_before
from jsonb_to_recordset(cast(:steps as jsonb)) as step (
    customer text, stage text, does text, policy text, policy_from date, owner text, due_by timestamptz, currency text,
    claimed numeric, set_against numeric, not_before date
)
returning step_id, customer, stage
