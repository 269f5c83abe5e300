-- Plans of pauses: frozen lists of machines and documents, who approved them, and the commands that come of them.

create table albacore.pause_plan (
    plan_id bigint generated always as identity primary key,
    step_id bigint not null unique references albacore.escalation_step,
    customer text not null,
    made_at timestamptz not null,
    sha256 text not null,  -- over the frozen list
    not_before date not null,
    closed_at timestamptz,
    closed_why text,
    told_at timestamptz  -- when the customer was told that it is off
);
comment on table albacore.pause_plan is 'A pause as it was announced: it is carried out or falls, and it only shrinks.';
create index pause_plan_open on albacore.pause_plan (customer) where closed_at is null;

create table albacore.pause_plan_item (
    plan_id bigint not null references albacore.pause_plan,
    machine_id integer not null references albacore.machine,
    number text not null references albacore.document (number),
    fell_at timestamptz,
    fell_why text,
    primary key (plan_id, machine_id, number),
    check ((fell_at is null) = (fell_why is null))
);
comment on table albacore.pause_plan_item is 'A machine of a plan and a document for which it may stand still, until that falls, which is for good.';
create index pause_plan_item_number on albacore.pause_plan_item (number);
create index pause_plan_item_machine on albacore.pause_plan_item (machine_id);

create table albacore.plan_approval (
    plan_id bigint not null references albacore.pause_plan,
    approver text not null,
    asked_at timestamptz not null,
    effect_id bigint not null references albacore.effect,
    code_hash text,  -- of the code in the mail that left last; empty before
    tries integer not null default 0,
    approved_at timestamptz,
    actor text,
    primary key (plan_id, approver)
);
comment on table albacore.plan_approval is 'Two people''s word for a plan; each has a one-time code by mail, of which only a slow hash is kept.';

create table albacore.site_stop (
    site text not null references albacore.site,
    stopped_at timestamptz not null,
    reason text not null,
    cleared_at timestamptz,
    cleared_by text
);
comment on table albacore.site_stop is 'Sites whose control disobeyed: nothing is paused there until a person has looked.';
create unique index site_stop_open on albacore.site_stop (site) where cleared_at is null;

create table albacore.country_sign_off (
    sign_off_id bigint generated always as identity primary key,
    country text not null check (country ~ '^[A-Z]{2}$'),
    actor text not null,
    reference text not null check (reference <> ''),
    signed_at timestamptz not null,
    until_on date not null
);
comment on table albacore.country_sign_off is 'Who has confirmed, for a country of customers or of a site, that machines may be paused there, and until when.';

drop view albacore.unverified_command;
drop view report.machine_commands;
update albacore.machine_command set outcome = 'cancelled' where outcome = 'requested';
alter table albacore.machine_command
    drop column step_id,
    add column plan_id bigint references albacore.pause_plan,
    add column by_ticket boolean not null default false,
    add column was_on_at timestamptz,
    add column commanded_at timestamptz,
    add column read_state text check (read_state in ('on', 'off')),
    add column read_at timestamptz,
    add column told_at timestamptz,
    alter column effect_id drop not null;
-- The program of before read the state before it paused, and went on only where it was on.
update albacore.machine_command set commanded_at = coalesce(sent_at, requested_at),
    was_on_at = case when action = 'pause' then coalesce(sent_at, requested_at) end,
    read_state = case when outcome = 'verified' then case action when 'pause' then 'off' else 'on' end end,
    read_at = verified_at
where outcome in ('sent', 'verified', 'failed');
update albacore.machine_command set told_at = verified_at where action = 'resume';
comment on column albacore.machine_command.was_on_at is 'When the machine was read to be on, just before the command: without it, it was never ours.';
comment on column albacore.machine_command.commanded_at is 'When we resolved to command, before the command itself; empty: it never was.';
comment on column albacore.machine_command.told_at is 'When the customer was told that it runs again.';
comment on column albacore.machine_command.read_state is 'The state that was read last since the command, or that a person confirmed.';
create index machine_command_machine on albacore.machine_command (machine_id, command_id desc);
create index machine_command_effect on albacore.machine_command (effect_id);

create view albacore.unverified_command as
select command_id, machine_id, action, customer, commanded_at
from albacore.machine_command
where outcome = 'sent' and not exists (
    select from albacore.machine_command later
    where later.machine_id = machine_command.machine_id and later.command_id > machine_command.command_id
);
comment on view albacore.unverified_command is 'Commands that were sent and not yet read back, and that no later one has overtaken.';

-- In doubt a machine is off: only a reading since the command says otherwise.
create view albacore.stopped_machine as
select machine_id, command_id, plan_id, customer, commanded_at, by_ticket
from (
    select distinct on (machine_id) machine_id, command_id, plan_id, customer, commanded_at, action, outcome, by_ticket,
        was_on_at, read_state
    from albacore.machine_command
    where commanded_at is not null and (action = 'pause' or outcome = 'verified')
    order by machine_id, command_id desc
) last
where action = 'pause' and outcome <> 'cancelled' and (by_ticket or was_on_at is not null)
    and read_state is distinct from 'on';
comment on view albacore.stopped_machine is 'Machines that are off by our command: they were on just before it (where a ticket asked: nobody answered that they were off), and no reading since says that they are on.';

create view albacore.standing_item as
select plan_id, item.machine_id, item.number, plan.customer
from albacore.pause_plan_item item
join albacore.pause_plan plan using (plan_id)
where item.fell_at is null and plan.closed_at is null;
comment on view albacore.standing_item is 'What still stands of the plans.';

create function albacore.to_resume_at(instant timestamptz) returns table (
    machine_id integer, command_id bigint, plan_id bigint, customer text, holder text, state text
) language sql stable parallel safe as $$
    select stopped.machine_id, stopped.command_id, stopped.plan_id, stopped.customer, assigned.customer, assigned.state
    from albacore.stopped_machine stopped
    left join albacore.assigned_at(instant) assigned using (machine_id)
    where not exists (
        select from albacore.standing_item item
        where item.machine_id = stopped.machine_id and item.customer = assigned.customer
    )
$$;
comment on function albacore.to_resume_at is 'Machines that are off by our command and that no plan stands for any more, with whom they belong to now.';

-- When it was read to be off, until we commanded it on.
create view albacore.off_span as
select pause.machine_id, pause.verified_at as from_at, (
    select min(resume.commanded_at) from albacore.machine_command resume
    where resume.machine_id = pause.machine_id and resume.action = 'resume' and resume.command_id > pause.command_id
) as to_at
from albacore.machine_command pause
where action = 'pause' and verified_at is not null;
comment on view albacore.off_span is 'When machines stood still by our command, as it was read or a person confirmed: from then on until the command to run again; to_at is empty while they stand.';

-- Of a machine that nobody rated, any energy is too much.
create view albacore.drawing_while_off as
select span.machine_id, known.day, known.collected_at, sum(hour.wh)::bigint as wh
from albacore.off_span span
join albacore.machine using (machine_id)
join albacore.site using (site)
left join albacore.current_machine_rating rating using (machine_id)
join albacore.known_day known on known.machine_id = span.machine_id
    and known.day between (from_at at time zone timezone)::date and coalesce((to_at at time zone timezone)::date, 'infinity')
cross join lateral unnest(hourly_wh, regexp_split_to_array(hourly_quality, '')) with ordinality as hour (wh, quality, number)
cross join lateral (
    select (known.day::timestamp at time zone timezone) + (hour.number - 1) * interval '1 hour' as start
) clock
where clock.start >= from_at and clock.start + interval '1 hour' <= coalesce(to_at, 'infinity')
    and hour.quality in ('m', 'i') and hour.wh > coalesce(rating.rated_watts, machine.rated_watts, 0) / 20.0
group by span.machine_id, known.day, known.collected_at;
comment on view albacore.drawing_while_off is 'Machine-days with whole hours within an off_span in which more than a twentieth of the rating was drawn, what these hours come to, and when that was collected.';
