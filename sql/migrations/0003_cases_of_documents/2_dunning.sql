-- Dunning by documents: each has a case of its own; a step is a notice to a customer that may claim several documents.

-- The chains of before were about customers. They end here, with their steps kept; every document that is still unpaid
-- begins at its first notice, and what they had not sent yet is not sent.
update albacore.effect set state = 'cancelled', error = 'chains are about documents now', settled_at = now()
where state in ('prepared', 'sending', 'unknown', 'parked') and (
    effect_id in (select effect_id from albacore.notice) or effect_id in (select effect_id from albacore.machine_command)
    or business_key like 'mail:approval:%' or business_key like 'mail:ticket:%'
);

drop view report.escalation;
drop view albacore.step_delivery;
drop table albacore.pause_approval;

alter table albacore.escalation_case add column number text references albacore.document (number);
alter table albacore.escalation_step drop constraint escalation_step_case_id_stage_key;
insert into albacore.escalation_case (customer, opened_at, closed_at, outcome, number)
select distinct on (case_id, step.number) customer, opened_at, coalesce(closed_at, now()), coalesce(escalation_case.outcome, 'closed'), step.number
from albacore.escalation_case join albacore.escalation_step step using (case_id);

alter table albacore.escalation_step
    add column customer text,
    add column does text,
    add column currency text,
    add column claimed numeric,
    add column set_against numeric not null default 0,
    add column not_before date,
    add column withdrawn_at timestamptz,
    add column withdrawn_why text;
update albacore.escalation_step set customer = document.customer, currency = document.currency, claimed = 0,
    not_before = acts_after::date,
    does = case stage when 'final_notice' then 'announce' when 'pause_scheduled' then 'schedule' when 'paused' then 'pause'
        when 'recovery' then 'hand_over' else 'remind' end
from albacore.document where document.number = escalation_step.number;

create table albacore.escalation_claim (
    step_id bigint not null references albacore.escalation_step,
    case_id bigint not null references albacore.escalation_case,
    number text not null references albacore.document (number),
    stage text not null,
    owed numeric not null,
    facts_sha256 text not null,
    again boolean not null default false,
    superseded_at timestamptz,
    superseded_why text,
    primary key (step_id, case_id)
);
comment on table albacore.escalation_claim is 'What a step claimed: a document of a case, and what of it was owed then. A claim that is superseded counts no more: its stage has to be said again.';
create unique index escalation_claim_counts on albacore.escalation_claim (case_id, stage) where superseded_at is null;
insert into albacore.escalation_claim (step_id, case_id, number, stage, owed, facts_sha256, superseded_at, superseded_why)
select step.step_id, made.case_id, step.number, step.stage, 0, step.facts_sha256, now(), 'chains are about documents now'
from albacore.escalation_step step
join albacore.escalation_case old on old.case_id = step.case_id
join albacore.escalation_case made on made.number = step.number and made.customer = old.customer
    and made.opened_at = old.opened_at;

alter table albacore.escalation_step
    drop column case_id, drop column number, drop column facts, drop column facts_sha256, drop column acts_after,
    drop column outcome,
    alter column customer set not null, alter column does set not null, alter column currency set not null,
    alter column claimed set not null;
comment on table albacore.escalation_step is 'A stage that documents of a customer entered together, by which policy, and what its notice said.';
create index escalation_step_customer on albacore.escalation_step (customer);
delete from albacore.escalation_case where number is null;
alter table albacore.escalation_case alter column number set not null;
drop index albacore.escalation_case_open;
create unique index escalation_case_open on albacore.escalation_case (number) where closed_at is null;
create index escalation_case_customer on albacore.escalation_case (customer);
comment on table albacore.escalation_case is 'The chain of stages of a document, from its issue until it is settled; a document that is owed again has another.';

create table albacore.case_decision (
    case_decision_id bigint generated always as identity primary key,
    case_id bigint not null references albacore.escalation_case,
    decided_at timestamptz not null,
    decision text not null check (decision in ('enter', 'waiting', 'resting', 'held', 'close')),
    stage text not null default '',  -- the one that is entered
    reason text not null default '',
    next_stage text not null default '',
    next_on date,
    policy text not null,
    policy_from date not null,
    facts_sha256 text not null
);
comment on table albacore.case_decision is 'Every decision on a document, written when it changed.';
create index case_decision_case on albacore.case_decision (case_id, case_decision_id desc);
create trigger case_decision_append_only before update or delete on albacore.case_decision
    for each row execute function albacore.append_only();

create table albacore.step_machine (
    step_id bigint not null references albacore.escalation_step,
    machine_id integer not null references albacore.machine,
    number text not null references albacore.document (number),
    primary key (step_id, machine_id, number)
);
comment on table albacore.step_machine is 'The machines that a notice named, and for which document.';

alter table albacore.notice add column audience text not null default 'customer'
    check (audience in ('customer', 'account_manager', 'owner'));
alter table albacore.notice alter column audience drop default;
comment on table albacore.notice is 'The mails of a step. The customer''s alone decide whether it was delivered.';
create index notice_effect on albacore.notice (effect_id);

create view albacore.step_delivery as
select step_id, first_sent_at, sent_at, delivered_at, came_back
from albacore.escalation_step step
cross join lateral (  -- by step, so that a question about some steps reads their notices only
    select min(accepted_at) as first_sent_at,
        case when count(*) filter (where state <> 'done') = 0 then max(accepted_at) end as sent_at,
        case when count(*) filter (where state <> 'done' or bounced_at is not null) = 0
            then max(accepted_at) + interval '24 hours' end as delivered_at,
        coalesce(bool_or(bounced_at is not null or state = 'parked'), false) as came_back
    from albacore.notice
    join albacore.effect using (effect_id)
    cross join lateral (select (answer ->> 'accepted_at')::timestamptz as accepted_at) relay
    where notice.step_id = step.step_id and audience = 'customer'
) notices;
comment on view albacore.step_delivery is 'Of each step''s notices to the customer: when the relay took the first, when it had taken all, when all had been with it for 24 hours without a bounce (which may lie ahead), and whether one came back or was refused.';

create table albacore.mail_bounce (
    effect_id bigint primary key references albacore.effect,
    bounced_at timestamptz not null,
    why text not null,
    mended_at timestamptz
);
comment on table albacore.mail_bounce is 'Mails that came back, of invoices and notices alike.';
insert into albacore.mail_bounce (effect_id, bounced_at, why)
select effect_id, bounced_at, 'reported' from albacore.notice where bounced_at is not null;

alter table albacore.hold
    drop constraint hold_kind_check,
    add constraint hold_kind_check check (kind in
        ('dispute', 'promise_to_pay', 'payment_in_flight', 'manual', 'exempt', 'unapplied')),
    add column lines integer[],
    add column amount numeric check (amount > 0),
    add column outcome text check (outcome in ('released', 'granted', 'refused')),
    add constraint hold_lines_of_a_document check (lines is null or (number is not null and cardinality(lines) > 0));
update albacore.hold set outcome = 'released' where released_at is not null;
comment on column albacore.hold.lines is 'The disputed lines of the document; the rest of it goes on. Empty: all of it.';
comment on column albacore.hold.amount is 'What was promised.';
create index hold_number on albacore.hold (number);

create table albacore.write_off (
    number text primary key references albacore.document (number),
    written_off_at timestamptz not null,
    actor text not null,
    reason text not null check (reason <> '')
);
comment on table albacore.write_off is 'Documents that are not chased any more.';

create table albacore.task (
    task_id bigint generated always as identity primary key,
    key text not null,
    subject text not null,
    customer text,
    number text,
    what text not null,
    owner text not null check (owner <> ''),
    opened_at timestamptz not null,
    due_by timestamptz not null,
    closed_at timestamptz,
    closed_by text,
    closed_why text
);
comment on table albacore.task is 'What a person has to do, and by when. The key says what it is about: there is one open task of each.';
create unique index task_open on albacore.task (key) where closed_at is null;

create table albacore.evaluation (
    one boolean primary key default true check (one),
    evaluated_at timestamptz not null
);
comment on table albacore.evaluation is 'When the cases were last evaluated: at most one row. A Clock that went far ahead since is not believed alone.';

-- A document may be mailed again, after its first mail came back.
create or replace view albacore.sent_document as
select number, max((answer ->> 'accepted_at')::timestamptz) as sent_at
from albacore.effect
where kind = 'mail' and state = 'done' and number is not null
group by number;
comment on view albacore.sent_document is 'Documents whose mail the relay has accepted, and when it did last.';

-- What is owed. One definition, for the chain, the notices, the plans and the gates.

create view albacore.disputed_line as
select hold.number, line.line, line.amount + line.tax as amount, hold.from_at, hold.until_at, hold.released_at
from albacore.hold
join albacore.document using (number)
join albacore.document_line line on line.document_id = document.document_id and line.line = any(hold.lines)
where hold.kind = 'dispute';
comment on view albacore.disputed_line is 'Lines that a customer disputes, with tax, from when to when.';

create function albacore.disputed_at(instant timestamptz) returns table (number text, lines integer[], amount numeric)
language sql stable parallel safe as $$
    select number, array_agg(line), sum(amount)
    from (
        select distinct number, line, amount from albacore.disputed_line
        where from_at <= instant and until_at > instant and (released_at is null or released_at > instant)
    ) line
    group by number
$$;
comment on function albacore.disputed_at is 'The lines of documents that are disputed at an instant, and what they come to with tax.';

create function albacore.stops_at(instant timestamptz) returns table (number text, kind text, reason text, until_at timestamptz)
language sql stable parallel safe as $$
    select number, kind, format('on hold (%s): %s', kind, reason), until_at
    from albacore.holds_at(instant) where number is not null and lines is null
    union all
    select number, 'edited', 'changed in Xero, a person must say which holds: ' || fields, null from albacore.edited_document
    union all
    select effect.number, 'bounced', 'the invoice''s mail came back: mend the address, then reopen_case', null
    from albacore.mail_bounce join albacore.effect using (effect_id) where effect.number is not null and mended_at is null
    union all  -- a correction in the customer's favour, or of which nobody knows yet, that he has not got
    select document.number, 'correction', 'a correction of its month is not issued yet', null
    from albacore.document
    join albacore.newest_customer_month newest using (customer, month)
    join albacore.customer_month ours on ours.customer_month_id = document.customer_month_id
    where document.kind <> 'credit_note' and newest.revision > document.revision and newest.frozen_at is null
        and (newest.state = 'blocked' or coalesce(newest.rated_amount < ours.rated_amount, true))
    union all  -- readings of its month that a person has to accept or refuse
    select distinct document.number, 'correction', format('new readings of %s at %s wait for a person', waiting.day, waiting.site), null::timestamptz
    from albacore.collection waiting
    join albacore.machine on machine.site = waiting.site
    join albacore.current_assignment assigned on assigned.machine_id = machine.machine_id
        and waiting.day between assigned.from_day and assigned.to_day and assigned.state = 'billable'
    join albacore.document on document.customer = assigned.customer and document.kind <> 'credit_note'
        and document.month = date_trunc('month', waiting.day)::date
    where waiting.state = 'waiting'
    union all
    select document.number, 'correction', format('the credit note %s is not issued yet', note.number), null
    from albacore.document
    join albacore.document note on note.customer = document.customer and note.month = document.month
        and note.kind = 'credit_note' and note.revision > document.revision
    where document.kind <> 'credit_note' and note.state in ('prepared', 'drafted', 'parked')
$$;
comment on function albacore.stops_at is 'What keeps a document as a whole out of its chain at an instant, and until when if that is known.';

create function albacore.customer_stops_at(instant timestamptz) returns table (customer text, kind text, reason text, until_at timestamptz)
language sql stable parallel safe as $$
    select customer, kind, format('on hold (%s): %s', kind, reason), until_at
    from albacore.holds_at(instant) where number is null
$$;
comment on function albacore.customer_stops_at is 'What keeps a customer as a whole out of every chain at an instant.';

-- His money: the same entity, the same currency, a contact that is his alone. It is set against what is overdue and not
-- kept out or given up, the oldest due date first.
create function albacore.owed_at(instant timestamptz, customers text[]) returns table (
    number text, customer text, currency text, due_on date, total numeric, amount_due numeric, disputed numeric,
    set_against numeric, owed numeric, as_of timestamptz, stopped text, stopped_until timestamptz
) language sql stable parallel safe as $$
    with unpaid as materialized (
        select document.number, document.customer, document.currency, document.entity, document.due_on, document.total,
            unpaid.amount_due, unpaid.as_of, case
                when exists (select from albacore.holds_at(instant) hold
                    where hold.number = unpaid.number and kind = 'dispute' and lines is null) then unpaid.amount_due
                else least(coalesce(disputed.amount, 0), unpaid.amount_due)
            end as disputed
        from albacore.unpaid_document unpaid
        join albacore.document using (document_id)
        left join albacore.disputed_at(instant) disputed on disputed.number = unpaid.number
        where unpaid.customer = any(customers)
    ),
    stop as (
        select number, string_agg(reason, '; ' order by kind, reason) as reason,
            case when bool_or(until_at is null) then null else max(until_at) end as until_at
        from albacore.stops_at(instant) where number in (select number from unpaid)
        group by number
    ),
    claimable as (
        select unpaid.*, amount_due - disputed as claim, stop.reason as stopped, stop.until_at as stopped_until,
            stop.number is null and due_on < (instant at time zone 'UTC')::date
                and not exists (select from albacore.write_off where write_off.number = unpaid.number) as coverable
        from unpaid left join stop using (number)
    ),
    money as (
        select customer, entity, currency, sum(remaining) as amount
        from albacore.unapplied_credit where customer = any(customers)
        group by customer, entity, currency
    ),
    covered as (
        select claimable.*, case when coverable then greatest(0, least(claim, coalesce(money.amount, 0)
            - coalesce(sum(claim) filter (where coverable) over (
                partition by claimable.customer, claimable.entity, claimable.currency order by due_on, number
                rows between unbounded preceding and 1 preceding), 0))) else 0 end as set_against
        from claimable
        left join money using (customer, entity, currency)
    )
    select number, customer, currency, due_on, total, amount_due, disputed, set_against, claim - set_against, as_of,
        coalesce(stopped, ''), stopped_until
    from covered
$$;
comment on function albacore.owed_at is 'What these customers owe at an instant, document by document: without disputed lines, and without what their own unapplied money covers.';

-- Which machines stand on a document.

create view albacore.revision_day as
select month.customer_month_id, month.month, month.customer, machine.site, assignment.machine_id, machine_day.day,
    albacore.wh_with_estimate(machine_day.wh, estimate.wh) as wh,
    machine_day.collection_id, coalesce(estimate.hours, 0) as estimated_hours, coalesce(estimate.wh, 0) as estimate_wh
from albacore.customer_month month
join albacore.billing_run run using (billing_run_id, month)
join albacore.assignment on assignment.customer = month.customer
    and assignment.state = 'billable'
    and albacore.valid_at(assignment.since_version, assignment.until_version, run.registry_version)
    and assignment.from_day <= (month.month + interval '1 month - 1 day')::date and assignment.to_day >= month.month
join albacore.machine using (machine_id)
join albacore.billing_run_collection used on used.billing_run_id = month.billing_run_id
    and used.site = machine.site
    and used.day between greatest(assignment.from_day, month.month)
        and least(assignment.to_day, (month.month + interval '1 month - 1 day')::date)
join albacore.machine_day on machine_day.collection_id = used.collection_id
    and machine_day.day = used.day and machine_day.machine_id = assignment.machine_id
left join albacore.machine_estimate estimate on estimate.collection_id = used.collection_id
    and estimate.day = used.day and estimate.machine_id = assignment.machine_id
    and albacore.valid_at(estimate.since_run, estimate.until_run, month.billing_run_id)
where machine_day.wh is not null or estimate.wh is not null;
comment on view albacore.revision_day is 'The machine-days that any revision of a customer-month billed, estimates included: by the registry''s version and the collections that its rating stood on.';

create or replace view albacore.billed_day as
select revision_day.*
from albacore.current_customer_month current
join albacore.revision_day using (customer_month_id);

-- A document brings one revision of its month, and carried corrections of others, each less the revision before it;
-- credit notes that came later for the same months take away again. Of a price that spans machines (a tier), a machine
-- has its own part of the energy: what it used and no record of its own has. All documents at once: one by one they cost
-- a millisecond each.
create function albacore.machines_on(instant timestamptz, numbers text[])
returns table (number text, machine_id integer, customer text) language sql stable parallel safe as $$
    with asked as (
        select document.number, document.document_id, coalesce(disputed.lines, '{}') as disputed_lines
        from albacore.document
        left join albacore.disputed_at(instant) disputed on disputed.number = document.number
        where document.number = any(numbers)
    ),
    brought as (
        select distinct asked.number, asked.disputed_lines, month.customer_month_id, month.customer, month.month, month.revision
        from asked
        join albacore.document_line line using (document_id)
        join albacore.customer_month month on month.customer_month_id = line.customer_month_id
    ),
    revision as (
        select number, disputed_lines as without_lines, customer_month_id, customer, month, revision from brought
        union
        select brought.number, '{}', month.customer_month_id, month.customer, month.month, month.revision
        from brought
        join albacore.customer_month month on month.customer = brought.customer and month.month = brought.month
            and month.revision > brought.revision
        join albacore.document_line line on line.customer_month_id = month.customer_month_id
        join albacore.document note on note.document_id = line.document_id and note.kind = 'credit_note'
    ),
    part as (
        select number, customer, customer_month_id, without_lines, 1 as sign from revision
        union all
        select revision.number, revision.customer, before.customer_month_id, '{}', -1
        from revision
        join albacore.customer_month before on before.customer = revision.customer and before.month = revision.month
            and before.revision = revision.revision - 1
    ),
    record as (
        select part.number, part.customer, part.customer_month_id, sign, site, record.machine_id, price_kind, amount
        from part
        join albacore.billing_record record using (customer_month_id)
        where line is null or line <> all(without_lines)
    ),
    spanning as (
        select number, customer, customer_month_id, sign, bool_or(site is null) as anywhere, array_agg(site) as sites
        from record where record.machine_id is null and price_kind = 'energy'
        group by number, customer, customer_month_id, sign
    ),
    share as (
        select number, record.machine_id, customer, sign * amount as share from record where record.machine_id is not null
        union all
        select number, used.machine_id, customer, sign * greatest(used.wh - coalesce(own.wh, 0), 0) * 0.001
        from spanning
        cross join lateral (
            select day.machine_id, day.site, sum(day.wh) as wh from albacore.revision_day day
            where day.customer_month_id = spanning.customer_month_id
            group by day.machine_id, day.site
        ) used
        left join lateral (
            select sum(record.wh) as wh from albacore.billing_record record
            where record.customer_month_id = spanning.customer_month_id and record.machine_id = used.machine_id
        ) own on true
        where anywhere or used.site = any(sites)
    )
    select number, share.machine_id, customer from share group by number, share.machine_id, customer having sum(share) > 0
$$;
comment on function albacore.machines_on is 'The machines that stand on documents, but for the lines disputed at an instant: what a document asks for them is above zero, after the credit notes that came later for its months.';

create function albacore.pausable_at(instant timestamptz, numbers text[]) returns table (number text, machine_id integer)
language sql stable parallel safe as $$
    select machine.number, machine.machine_id
    from albacore.machines_on(instant, numbers) machine
    join albacore.assigned_at(instant) assigned
        on assigned.machine_id = machine.machine_id and assigned.customer = machine.customer and assigned.state = 'billable'
$$;
comment on function albacore.pausable_at is 'The machines for which documents may pause: they stand on what is not disputed of them, and are the debtor''s at that instant.';
