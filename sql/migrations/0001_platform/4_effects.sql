-- Every act on the outside world, and the chain of what was done.

create table albacore.effect (
    effect_id bigint generated always as identity primary key,
    kind text not null,
    business_key text not null unique,
    payload jsonb not null,
    payload_sha256 text not null,
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
create index effect_due on albacore.effect (kind, next_try_at) where state in ('prepared', 'sending', 'unknown');

create function albacore.refuse_payload_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (old.kind, old.business_key, old.payload, old.payload_sha256)
        is distinct from (new.kind, new.business_key, new.payload, new.payload_sha256) then
        raise exception 'effect % is committed and never changes', old.business_key;
    end if;
    return new;
end $$;
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

create function albacore.audit_hash(before text, event albacore.audit_event) returns text language sql immutable as $$
    select encode(sha256(convert_to(concat_ws(
        chr(31), before, event.seq, extract(epoch from event.at), event.actor, event.action, event.subject, event.details
    ), 'UTF8')), 'hex')
$$;

-- Each event carries the hash of all before it; the lock makes the chain one, whoever writes.
create function albacore.audit_chain() returns trigger language plpgsql as $$
declare
    last albacore.audit_event;
begin
    perform pg_advisory_xact_lock(hashtext('albacore.audit_event'));
    select * into last from albacore.audit_event order by seq desc limit 1;
    new.seq := coalesce(last.seq, 0) + 1;
    new.hash := albacore.audit_hash(coalesce(last.hash, ''), new);
    return new;
end $$;
create trigger audit_chain before insert on albacore.audit_event
    for each row execute function albacore.audit_chain();

create trigger audit_append_only before update or delete on albacore.audit_event
    for each row execute function albacore.append_only();
create trigger audit_no_truncate before truncate on albacore.audit_event
    for each statement execute function albacore.append_only();
revoke update, delete, truncate on albacore.audit_event from public;
