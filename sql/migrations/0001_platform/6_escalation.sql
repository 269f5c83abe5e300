-- The way from an overdue invoice to a paused machine and back.

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
create index hold_customer on albacore.hold (customer);

-- One chain of stages for a customer's debt; a new debt after a closed case begins again at the first stage.
create table albacore.escalation_case (
    case_id bigint generated always as identity primary key,
    customer text not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    outcome text
);
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

create table albacore.notice (
    notice_id bigint generated always as identity primary key,
    step_id bigint not null references albacore.escalation_step,
    recipient text not null,
    template text not null,
    effect_id bigint not null references albacore.effect,
    bounced_at timestamptz,
    unique (step_id, recipient, template)
);

create table albacore.machine_command (
    command_id bigint generated always as identity primary key,
    step_id bigint not null references albacore.escalation_step,
    machine_id integer not null references albacore.machine,
    customer text not null,
    action text not null check (action in ('pause', 'resume')),
    reason text not null,
    requested_at timestamptz not null,
    effect_id bigint not null references albacore.effect,
    sent_at timestamptz,
    verified_at timestamptz,
    outcome text not null default 'requested'
        check (outcome in ('requested', 'sent', 'verified', 'cancelled', 'failed')),
    unique (step_id, machine_id, action)
);

-- Two people must agree before a pause exceeds the blast radius; each has a one-time code by mail.
create table albacore.pause_approval (
    case_id bigint not null references albacore.escalation_case,
    approver text not null,
    code_sha256 text not null,
    asked_at timestamptz not null,
    approved_at timestamptz,
    primary key (case_id, approver)
);

create table albacore.kill_switch (
    one boolean primary key default true check (one),
    is_on boolean not null,
    reason text not null,
    actor text not null,
    set_at timestamptz not null
);
