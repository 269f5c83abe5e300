-- Where each document stands, and the steps, tasks and plans behind it.

create view albacore.last_decision as
select distinct on (case_id) case_id, decided_at, decision, stage, reason, next_stage, next_on, policy, policy_from, facts_sha256
from albacore.case_decision
order by case_id, case_decision_id desc;
comment on view albacore.last_decision is 'What was decided last on each case.';

create view albacore.vetoed_claim as
select distinct plan.step_id, item.number
from albacore.pause_plan plan join albacore.pause_plan_item item using (plan_id)
where fell_why like 'vetoed%';
comment on view albacore.vetoed_claim is 'Scheduled pauses of documents that a person stopped.';

create view report.escalation as
select step.customer, claim.number, step.stage, step.decided_at, first_sent_at as sent_at, delivered_at, owner, due_by,
    case
        when veto.number is not null then 'vetoed'
        when escalation_case.outcome = 'paid' then 'paid'
        when closed_at is not null or withdrawn_at is not null or superseded_at is not null then 'closed'
        when came_back then 'bounced'
        when last_decision.decision = 'held' then 'held'
        else 'open'
    end as outcome,
    customer.name as customer_name, claim.owed as claimed, step.currency, claim.again, step.not_before,
    coalesce(withdrawn_why, superseded_why, escalation_case.outcome) as ended_why
from albacore.escalation_step step
join albacore.escalation_claim claim using (step_id)
join albacore.escalation_case using (case_id)
join albacore.step_delivery using (step_id)
left join albacore.last_decision using (case_id)
left join albacore.vetoed_claim veto on veto.step_id = step.step_id and veto.number = claim.number
left join albacore.known_customer customer on customer.customer = step.customer;
comment on view report.escalation is 'Each stage that a document entered: who owns it, until when, and whether its notice arrived.';
comment on column report.escalation.customer is 'Our number of the customer, as in customers.csv.';
comment on column report.escalation.number is 'The document''s number.';
comment on column report.escalation.stage is 'As the policy names it: upcoming, reminder, overdue, final_notice, pause_scheduled, paused, recovery by default.';
comment on column report.escalation.decided_at is 'When the stage was entered.';
comment on column report.escalation.sent_at is 'When the relay accepted the first notice to the customer.';
comment on column report.escalation.delivered_at is 'When every notice to the customer had been with the relay for 24 hours without a bounce; may lie ahead.';
comment on column report.escalation.owner is 'The mailbox of the person who must see to it.';
comment on column report.escalation.due_by is 'By when its owner must have acted.';
comment on column report.escalation.outcome is 'open, paid, held (something keeps the document out), vetoed, bounced (the notice came back), closed (see ended_why).';
comment on column report.escalation.customer_name is 'The customer''s name, as last known.';
comment on column report.escalation.claimed is 'What the notice claimed for the document.';
comment on column report.escalation.currency is 'ISO 4217.';
comment on column report.escalation.again is 'Whether the stage was said once more, with another sum.';
comment on column report.escalation.not_before is 'The day before which the notice said that no machine is paused.';
comment on column report.escalation.ended_why is 'Why it counts no more; empty while it does.';

create view report.cases as
select escalation_case.customer, escalation_case.number,
    case when closed_at is not null then 'closed' when last_decision.decision = 'enter' then 'waiting' else last_decision.decision end as state,
    coalesce(last_step.stage, '') as stage, coalesce(last_step.decided_at, opened_at) as since,
    last_decision.next_stage, last_decision.next_on, last_step.owner, last_step.due_by,
    case when document.due_on < last_decision.decided_at::date then unpaid.amount_due else 0 end as amount_overdue,
    document.currency, coalesce(escalation_case.outcome, last_decision.reason) as reason, customer.name as customer_name,
    last_decision.decided_at, last_decision.policy, last_decision.policy_from, last_decision.facts_sha256
from albacore.escalation_case
join albacore.document using (number)
left join albacore.unpaid_document unpaid on unpaid.document_id = document.document_id
left join albacore.last_decision using (case_id)
left join lateral (
    select step.stage, step.decided_at, step.owner, step.due_by
    from albacore.escalation_claim claim join albacore.escalation_step step using (step_id)
    where claim.case_id = escalation_case.case_id and superseded_at is null
    order by step_id desc limit 1
) last_step on true
left join albacore.known_customer customer on customer.customer = escalation_case.customer;
comment on view report.cases is 'Every unpaid document on its way to its end: where it stands, why, and what comes next and when.';
comment on column report.cases.customer is 'Our number of the customer, as in customers.csv.';
comment on column report.cases.number is 'The document''s number.';
comment on column report.cases.state is 'waiting (for its day, or for the payment), resting (what is left is too little), held (something keeps it out), closed.';
comment on column report.cases.stage is 'The last stage that it entered and that still counts; empty: none.';
comment on column report.cases.since is 'When it entered that stage; before the first, when its case began.';
comment on column report.cases.next_stage is 'The stage that comes next, if nothing is paid; empty: none.';
comment on column report.cases.next_on is 'When that is due; empty where it hangs on something else, which is the reason.';
comment on column report.cases.owner is 'Who owns the stage that it is in.';
comment on column report.cases.due_by is 'By when that owner must have acted.';
comment on column report.cases.amount_overdue is 'What is unpaid of the document, if it is overdue.';
comment on column report.cases.currency is 'ISO 4217.';
comment on column report.cases.reason is 'Why it stands there; of a closed one, why it ended: paid, voided, written off.';
comment on column report.cases.customer_name is 'The customer''s name, as last known.';
comment on column report.cases.decided_at is 'Since when the decision is the same.';
comment on column report.cases.policy is 'The policy that decided.';
comment on column report.cases.policy_from is 'From when that version of the policy holds.';
comment on column report.cases.facts_sha256 is 'Over all facts of the decision.';

create view report.machine_commands as
select machine.site, machine.machine, machine_command.customer, action, reason, requested_at, sent_at, verified_at, outcome,
    plan_id, was_on_at, commanded_at, read_state, read_at, customer.name as customer_name
from albacore.machine_command
join albacore.machine using (machine_id)
left join albacore.known_customer customer on customer.customer = machine_command.customer;
comment on view report.machine_commands is 'Every pause and resume of a machine.';
comment on column report.machine_commands.site is 'Data centre, as in the asset''s key.';
comment on column report.machine_commands.machine is 'The machine, as its site names it.';
comment on column report.machine_commands.customer is 'Whose debt paused it; of a resume likewise.';
comment on column report.machine_commands.action is 'pause, resume.';
comment on column report.machine_commands.reason is 'Why.';
comment on column report.machine_commands.requested_at is 'When it was decided.';
comment on column report.machine_commands.sent_at is 'When the site took the command.';
comment on column report.machine_commands.verified_at is 'When the power state was read back as wanted.';
comment on column report.machine_commands.outcome is 'requested, sent, verified (the power state was read back), cancelled, failed (the machine did not obey).';
comment on column report.machine_commands.plan_id is 'The plan of a pause.';
comment on column report.machine_commands.was_on_at is 'When the machine was read to be on, just before a pause.';
comment on column report.machine_commands.commanded_at is 'When we resolved to command; empty: it never was.';
comment on column report.machine_commands.read_state is 'on, off: the state read last since the command; empty: none was.';
comment on column report.machine_commands.read_at is 'When that was read.';
comment on column report.machine_commands.customer_name is 'The customer''s name, as last known.';

create view report.tasks as
select task.key, subject, task.customer, customer.name as customer_name, number, what, owner, opened_at, due_by, closed_at, closed_by, closed_why
from albacore.task left join albacore.known_customer customer on customer.customer = task.customer;
comment on view report.tasks is 'What people have to do: open where closed_at is empty.';
comment on column report.tasks.key is 'What it is about; the job finish_task takes it.';
comment on column report.tasks.subject is 'In a few words.';
comment on column report.tasks.customer is 'Whose; empty: no customer''s.';
comment on column report.tasks.customer_name is 'The customer''s name, as last known.';
comment on column report.tasks.number is 'Which document; empty: none.';
comment on column report.tasks.what is 'What is to be done.';
comment on column report.tasks.owner is 'The mailbox of the person who has to do it.';
comment on column report.tasks.opened_at is 'Since when.';
comment on column report.tasks.due_by is 'By when.';
comment on column report.tasks.closed_at is 'When it was done, or its reason went.';
comment on column report.tasks.closed_by is 'Who closed it: a person, or pipeline.';
comment on column report.tasks.closed_why is 'Why it is closed.';

create view report.pause_plans as
select plan.plan_id, plan.customer, customer.name as customer_name, site, machine, item.number, made_at, not_before, fell_at,
    fell_why, plan.closed_at, plan.sha256,
    (select count(*) from albacore.plan_approval where plan_approval.plan_id = plan.plan_id and approved_at is not null)::integer as approvals
from albacore.pause_plan plan
join albacore.pause_plan_item item using (plan_id)
join albacore.machine using (machine_id)
left join albacore.known_customer customer on customer.customer = plan.customer;
comment on view report.pause_plans is 'Every machine of every plan and the document for which it may stand still, until that fell.';
comment on column report.pause_plans.plan_id is 'Counts the plans.';
comment on column report.pause_plans.customer is 'Whose machines.';
comment on column report.pause_plans.customer_name is 'The customer''s name, as last known.';
comment on column report.pause_plans.site is 'Data centre, as in the asset''s key.';
comment on column report.pause_plans.machine is 'The machine, as its site names it.';
comment on column report.pause_plans.number is 'The document.';
comment on column report.pause_plans.made_at is 'When the plan was frozen.';
comment on column report.pause_plans.not_before is 'The day that the customer was promised.';
comment on column report.pause_plans.fell_at is 'When it fell, which is for good; empty: it stands.';
comment on column report.pause_plans.fell_why is 'Why it fell.';
comment on column report.pause_plans.closed_at is 'When the plan as a whole was over.';
comment on column report.pause_plans.sha256 is 'Over the frozen list.';
comment on column report.pause_plans.approvals is 'How many people have approved it.';

create or replace view report.holds as
select hold.customer, number, kind, reason, owner, from_at, coalesce(released_at, until_at) as until_at,
    lines, amount, outcome, customer.name as customer_name
from albacore.hold left join albacore.known_customer customer on customer.customer = hold.customer;
comment on column report.holds.kind is 'dispute, promise_to_pay, payment_in_flight, manual, exempt, unapplied (money that nobody could match).';
comment on column report.holds.lines is 'The disputed lines; empty: the whole document.';
comment on column report.holds.amount is 'What was promised; empty: nothing.';
comment on column report.holds.outcome is 'released, granted, refused; empty while it holds, and where it expired.';
comment on column report.holds.customer_name is 'The customer''s name, as last known.';
