-- A customer in the middle of his chain: reminded, his machine paused, a mail and a resume that had not gone out, and a
-- policy with days of its own.
insert into albacore.policy (policy, from_day, definition, since_version)
values ('slow', '2025-01-01', '{"from_day": "2025-01-01", "overdue_days": 20, "carry_below": {"NOK": "50"}}', 1),
    ('default', '2025-01-01', '{"from_day": "2025-01-01", "overdue_days": 7, "veto_business_days": 1}', 1);
insert into albacore.hold (customer, kind, reason, owner, from_at, until_at)
values ('acme', 'dispute', 'hours of one machine', 'finance@albacore.example', '2025-11-03', '2026-02-01');
insert into albacore.escalation_case (customer, opened_at) values ('acme', '2025-11-17'), ('never', '2025-11-17');
insert into albacore.escalation_step (case_id, number, stage, decided_at, policy, policy_from, facts, facts_sha256, owner, due_by)
select case_id, 'ALB-2025-000001', stage, '2025-11-17', 'default', '2025-01-01', '{}', 'x', 'finance@albacore.example', '2025-11-20'
from albacore.escalation_case, unnest(array['reminder', 'paused']) as stage where customer = 'acme';
insert into albacore.effect (kind, business_key, payload, payload_sha256, state, prepared_at, next_try_at)
values ('mail', 'mail:step:1:a@acme.example', '{}', 'x', 'prepared', '2025-11-17', '2025-11-17'),
    ('power.pause', 'power.pause:2:1', '{}', 'x', 'done', '2025-12-08', '2025-12-08'),
    ('power.resume', 'power.resume:2:1', '{}', 'x', 'prepared', '2025-12-09', '2025-12-09');
insert into albacore.notice (step_id, recipient, template, effect_id)
select 1, 'a@acme.example', 'reminder', effect_id from albacore.effect where kind = 'mail';
insert into albacore.machine_command (step_id, machine_id, customer, action, reason, requested_at, effect_id, sent_at, verified_at, outcome)
select 2, 1, 'acme', 'pause', 'unpaid', '2025-12-08'::timestamptz, effect_id, '2025-12-08 09:00+00'::timestamptz, '2025-12-08 09:01+00'::timestamptz, 'verified'
from albacore.effect where kind = 'power.pause'
union all
select 2, 1, 'acme', 'resume', 'paid', '2025-12-09'::timestamptz, effect_id, null, null, 'requested'
from albacore.effect where kind = 'power.resume';
