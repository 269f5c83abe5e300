-- Every act on the outside world, and the chain of what was done.

create table albacore.effect (
    effect_id bigint generated always as identity primary key,
    kind text not null,
    business_key text not null unique,
    payload jsonb not null,
    payload_sha256 text not null,
    number text generated always as (payload ->> 'number') stored,  -- the document that it brings on its way; else empty
    state text not null default 'prepared'
        check (state in ('prepared', 'sending', 'done', 'unknown', 'parked', 'cancelled')),
    attempts integer not null default 0,
    fence integer not null default 0,  -- rises with each claim; a settle with an older fence is refused
    prepared_at timestamptz not null,
    claimed_at timestamptz,
    next_try_at timestamptz not null,
    settled_at timestamptz,
    answer jsonb,
    error text
);
comment on table albacore.effect is 'The outbox: an intent to act on the outside world, and what became of it.';
create index effect_due on albacore.effect (kind, next_try_at) where state in ('prepared', 'sending', 'unknown');
create index effect_number on albacore.effect (number, kind) where number is not null;

-- `sending` counts: its sender is gone when somebody else can claim the kind.
create function albacore.is_due(state text, next_try_at timestamptz, now timestamptz) returns boolean
language sql immutable parallel safe as $$
    select state in ('prepared', 'sending', 'unknown') and (next_try_at <= now or state = 'sending')
$$;
comment on function albacore.is_due is 'Whether an effect in that state is to be sent or looked up.';

create function albacore.may_leave(month text, live_from text) returns boolean language sql immutable parallel safe as $$
    select live_from = '' or month is null or month >= live_from
$$;
comment on function albacore.may_leave is 'Whether what concerns a month (YYYY-MM) may go out, where months before live_from never do; empty: every one.';

create function albacore.refuse_payload_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (old.kind, old.business_key, old.payload, old.payload_sha256)
        is distinct from (new.kind, new.business_key, new.payload, new.payload_sha256) then
        raise exception 'effect % is committed and never changes', old.business_key;
    end if;
    return new;
end $$;
comment on function albacore.refuse_payload_change is 'Trigger: an intent is never changed or deleted, only settled.';
create trigger effect_frozen before update or delete on albacore.effect
    for each row execute function albacore.refuse_payload_change();
create trigger effect_no_truncate before truncate on albacore.effect
    for each statement execute function albacore.append_only();

create table albacore.audit_event (
    seq bigint primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    details jsonb not null,
    hash text not null
);
comment on table albacore.audit_event is 'Who did what; each hash covers all events before it.';

create function albacore.audit_hash(before text, event albacore.audit_event) returns text language sql immutable parallel safe as $$
    select encode(sha256(convert_to(concat_ws(
        chr(31), before, event.seq, extract(epoch from event.at), event.actor, event.action, event.subject, event.details
    ), 'UTF8')), 'hex')
$$;
comment on function albacore.audit_hash is 'The hash of an event behind the hash of the one before it.';

-- Each event carries the hash of all before it; the lock (database/locks.py) makes the chain one, whoever writes.
create function albacore.audit_chain() returns trigger language plpgsql as $$
declare
    last albacore.audit_event;
begin
    perform pg_advisory_xact_lock(hashtextextended('albacore.audit', 0));
    select * into last from albacore.audit_event order by seq desc limit 1;
    new.seq := coalesce(last.seq, 0) + 1;
    new.hash := albacore.audit_hash(coalesce(last.hash, ''), new);
    return new;
end $$;
comment on function albacore.audit_chain is 'Trigger: gives a new event its number and its hash.';
create trigger audit_chain before insert on albacore.audit_event
    for each row execute function albacore.audit_chain();
create trigger audit_append_only before update or delete on albacore.audit_event
    for each row execute function albacore.append_only();
create trigger audit_no_truncate before truncate on albacore.audit_event
    for each statement execute function albacore.append_only();
revoke update, delete, truncate on albacore.audit_event from public;
