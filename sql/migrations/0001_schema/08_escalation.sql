-- The way from an overdue invoice to a scheduled pause: holds, cases, steps and their notices.

create table albacore.hold (
    hold_id bigint generated always as identity primary key,
    customer text not null,
    number text,  -- empty: the whole customer
    kind text not null check (kind in ('dispute', 'promise_to_pay', 'payment_in_flight', 'manual', 'exempt')),
    reason text not null check (reason <> ''),
    owner text not null check (owner <> ''),
    from_at timestamptz not null,
    until_at timestamptz not null check (until_at > from_at),
    released_at timestamptz,
    released_by text
);
comment on table albacore.hold is 'What keeps a customer or a document out of escalation.';
create index hold_customer on albacore.hold (customer);

create function albacore.holds_at(instant timestamptz) returns setof albacore.hold language sql stable parallel safe as $$
    select * from albacore.hold
    where from_at <= instant and until_at > instant and (released_at is null or released_at > instant)
$$;
comment on function albacore.holds_at is 'The holds in force at an instant: begun, not over, not released.';

create table albacore.escalation_case (
    case_id bigint generated always as identity primary key,
    customer text not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    outcome text
);
comment on table albacore.escalation_case is 'A chain of stages for a customer''s debt; a new debt after a closed case begins again at the first stage.';
create unique index escalation_case_open on albacore.escalation_case (customer) where closed_at is null;

create table albacore.escalation_step (
    step_id bigint generated always as identity primary key,
    case_id bigint not null references albacore.escalation_case,
    number text not null references albacore.document (number),  -- the oldest document that anchors the stage
    stage text not null,
    decided_at timestamptz not null,
    policy text not null,
    policy_from date not null,
    facts jsonb not null,
    facts_sha256 text not null,
    owner text not null,
    due_by timestamptz not null,
    acts_after timestamptz,  -- a scheduled pause: not before this instant
    outcome text not null default 'open',
    unique (case_id, stage)
);
comment on table albacore.escalation_step is 'A stage that a case has entered, on which facts and by which policy.';

create table albacore.notice (
    notice_id bigint generated always as identity primary key,
    step_id bigint not null references albacore.escalation_step,
    recipient text not null,
    template text not null,
    effect_id bigint not null references albacore.effect,
    bounced_at timestamptz,
    unique (step_id, recipient, template)
);
comment on table albacore.notice is 'The mails of a step.';

create view albacore.step_delivery as
select step_id, first_sent_at, sent_at, delivered_at
from albacore.escalation_step step
cross join lateral (  -- by step, so that a question about some steps reads their notices only
    select min(accepted_at) as first_sent_at,
        case when count(*) filter (where state <> 'done') = 0 then max(accepted_at) end as sent_at,
        case when count(*) filter (where state <> 'done' or bounced_at is not null) = 0
            then max(accepted_at) + interval '24 hours' end as delivered_at
    from albacore.notice
    join albacore.effect using (effect_id)
    cross join lateral (select (answer ->> 'accepted_at')::timestamptz as accepted_at) relay
    where notice.step_id = step.step_id
) notices;
comment on view albacore.step_delivery is 'Of each step''s notices: when the relay took the first, when it had taken all, and when all had been with it for 24 hours without a bounce, which may lie ahead.';
