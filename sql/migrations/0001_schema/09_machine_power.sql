-- Commands to machines' power, and who may forbid or must allow them.

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
comment on table albacore.machine_command is 'Every pause and resume of a machine.';

create view albacore.unverified_command as
select command_id, machine_id, action, customer
from albacore.machine_command
where outcome = 'sent' and not exists (
    select from albacore.machine_command later
    where later.machine_id = machine_command.machine_id and later.command_id > machine_command.command_id
);
comment on view albacore.unverified_command is 'Commands that were sent and not yet read back, and that no later one has overtaken.';

create table albacore.pause_approval (
    case_id bigint not null references albacore.escalation_case,
    approver text not null,
    code_sha256 text not null,
    asked_at timestamptz not null,
    approved_at timestamptz,
    primary key (case_id, approver)
);
comment on table albacore.pause_approval is 'Two people must agree before a pause exceeds the blast radius; each has a one-time code by mail.';

create table albacore.kill_switch (
    one boolean primary key default true check (one),
    is_on boolean not null,
    reason text not null,
    actor text not null,
    set_at timestamptz not null
);
comment on table albacore.kill_switch is 'Whether no machine may be paused at all: at most one row.';
