-- Customer-months and their billing records.

-- A person's word that hours of a machine-day will never be known and are not billed.
create table albacore.accepted_gap (
    machine_id integer not null references albacore.machine,
    day date not null,
    reason text not null check (reason <> ''),
    actor text not null,
    accepted_at timestamptz not null,
    primary key (machine_id, day)
);

-- What a rating stood on: the registry's version and the collection of each site-day.
create table albacore.billing_run (
    billing_run_id bigint generated always as identity primary key,
    month date not null check (extract(day from month) = 1),
    registry_version integer not null references albacore.registry_version,
    run_id text not null,
    computed_at timestamptz not null
);
create table albacore.billing_run_collection (
    billing_run_id bigint not null references albacore.billing_run,
    collection_id bigint not null references albacore.collection,
    site text not null,
    day date not null,
    primary key (billing_run_id, site, day)
);

create table albacore.customer_month (
    customer_month_id bigint generated always as identity primary key,
    month date not null check (extract(day from month) = 1),
    customer text not null,
    revision integer not null check (revision > 0),
    state text not null check (state in ('blocked', 'ready', 'invoiced', 'corrected')),
    reason text not null default '',  -- why blocked; for a later revision, what changed
    currency text,
    billing_run_id bigint references albacore.billing_run,
    content_sha256 text,
    frozen_at timestamptz,  -- set with the document; from then on nothing below changes
    unique (customer, month, revision),
    check (state = 'blocked' or (billing_run_id is not null and content_sha256 is not null))
);
create index customer_month_month on albacore.customer_month (month);

-- The revision that counts: the newest that was rated. A correction that is still blocked leaves the old one in force.
create view albacore.current_customer_month as
select distinct on (customer, month)
    customer_month.*, (month + interval '1 month - 1 day')::date as last_day, billing_run.registry_version
from albacore.customer_month
join albacore.billing_run using (billing_run_id, month)
where state <> 'blocked'
order by customer, month, revision desc;

create table albacore.billing_record (
    billing_record_id bigint generated always as identity primary key,
    customer_month_id bigint not null references albacore.customer_month on delete cascade,
    site text references albacore.site,
    machine_id integer references albacore.machine,
    from_day date not null,
    to_day date not null check (to_day >= from_day),
    price_kind text not null check (price_kind in ('energy', 'machine_days', 'minimum')),
    tariff text not null,
    band text not null default '',
    quantity numeric not null,
    unit text not null,
    unit_price numeric not null,
    multiplier numeric not null default 1,
    currency text not null,
    amount numeric not null,  -- exact; rounded once, on the document's line
    wh bigint not null default 0,
    measured_wh bigint not null default 0,
    estimated_wh bigint not null default 0,
    line integer,  -- of the customer-month's document
    check (measured_wh + estimated_wh = wh)
);
create index billing_record_customer_month on albacore.billing_record (customer_month_id);

-- A record as a line of the text that its customer-month's hash is over.
create function albacore.record_text(
    site text, machine_id integer, from_day date, to_day date, price_kind text, tariff text, quantity numeric,
    unit_price numeric, multiplier numeric, wh bigint, estimated_wh bigint
) returns text language sql immutable as $$
    select concat_ws('|', site, machine_id, from_day - date '2000-01-01', to_day - date '2000-01-01', price_kind, tariff,
        trim_scale(quantity), trim_scale(unit_price), trim_scale(multiplier), wh, estimated_wh)
$$;

-- For tables that are only ever added to; `truncate` passes by row triggers and needs one of its own.
create function albacore.append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end $$;

create function albacore.refuse_frozen() returns trigger language plpgsql as $$
begin
    if exists (
        select from touched join albacore.customer_month using (customer_month_id) where frozen_at is not null
    ) then
        raise exception 'billing records behind a document never change: a correction is a new revision';
    end if;
    return null;
end $$;
create trigger frozen_insert after insert on albacore.billing_record
    referencing new table as touched for each statement execute function albacore.refuse_frozen();
create trigger frozen_update after update on albacore.billing_record
    referencing old table as touched for each statement execute function albacore.refuse_frozen();
create trigger frozen_delete after delete on albacore.billing_record
    referencing old table as touched for each statement execute function albacore.refuse_frozen();
create trigger billing_record_no_truncate before truncate on albacore.billing_record
    for each statement execute function albacore.append_only();

create function albacore.refuse_frozen_month() returns trigger language plpgsql as $$
begin
    if old.frozen_at is null then
        return coalesce(new, old);
    end if;
    if tg_op = 'UPDATE' and (old.month, old.customer, old.revision, old.billing_run_id, old.content_sha256, old.frozen_at)
        is not distinct from (new.month, new.customer, new.revision, new.billing_run_id, new.content_sha256, new.frozen_at) then
        return new;  -- its state may still move on
    end if;
    raise exception 'customer-month % % revision % has a document and never changes', old.customer, old.month, old.revision;
end $$;
create trigger frozen_month before update or delete on albacore.customer_month
    for each row execute function albacore.refuse_frozen_month();

-- Which machine-days the current revisions billed, and with how many watt-hours: by the registry's version and the
-- collections that the rating stood on, so that it can be set against what is accepted today.
create view albacore.billed_day as
select
    current.customer_month_id, current.month, current.customer, machine.site, assignment.machine_id,
    machine_day.day, machine_day.wh, machine_day.collection_id
from albacore.current_customer_month current
join albacore.assignment on assignment.customer = current.customer
    and assignment.state = 'billable'
    and assignment.since_version <= current.registry_version
    and (assignment.until_version is null or assignment.until_version > current.registry_version)
    and assignment.from_day <= current.last_day and assignment.to_day >= current.month
join albacore.machine using (machine_id)
join albacore.billing_run_collection used on used.billing_run_id = current.billing_run_id
    and used.site = machine.site
    and used.day between greatest(assignment.from_day, current.month) and least(assignment.to_day, current.last_day)
join albacore.machine_day on machine_day.collection_id = used.collection_id
    and machine_day.day = used.day and machine_day.machine_id = assignment.machine_id
where machine_day.wh is not null;
