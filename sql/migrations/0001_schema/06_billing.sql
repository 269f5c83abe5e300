-- Customer-months and their billing records.

create table albacore.customer_month (
    customer_month_id bigint generated always as identity primary key,
    month date not null check (extract(day from month) = 1),
    customer text not null,
    revision integer not null check (revision > 0),
    state text not null check (state in ('blocked', 'ready', 'invoiced', 'corrected')),
    reason text not null default '',  -- why blocked; for a later revision, what changed
    -- why a rated month has no document yet: out of line with the months before (a person releases it), or a small
    -- correction that the next invoice will bring
    waits text check (waits in ('review', 'carry')),
    released_by text,
    currency text,
    billing_run_id bigint references albacore.billing_run,
    content_sha256 text,
    -- what it comes to, to hold the next months against
    rated_machine_days integer,
    rated_wh bigint,
    rated_amount numeric,
    frozen_at timestamptz,  -- set with the document; from then on nothing below changes
    unique (customer, month, revision),
    check (state = 'blocked' or (billing_run_id is not null and content_sha256 is not null))
);
comment on table albacore.customer_month is 'What a customer owes for a month, in revisions; one with a document never changes.';
create index customer_month_month on albacore.customer_month (month);

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
comment on function albacore.refuse_frozen_month is 'Trigger: a customer-month with a document stays as it is.';
create trigger frozen_month before update or delete on albacore.customer_month
    for each row execute function albacore.refuse_frozen_month();

create view albacore.newest_customer_month as
select distinct on (customer, month) customer_month_id, month, customer, revision, state, reason, waits, currency,
    billing_run_id, content_sha256, rated_machine_days, rated_wh, rated_amount, frozen_at
from albacore.customer_month
order by customer, month, revision desc;
comment on view albacore.newest_customer_month is 'The newest revision of each customer''s month, blocked or not.';

create view albacore.current_customer_month as
select distinct on (customer, month) customer_month_id, month, customer, revision, state, reason, currency,
    billing_run_id, content_sha256, rated_machine_days, rated_wh, rated_amount, frozen_at,
    (month + interval '1 month - 1 day')::date as last_day, registry_version
from albacore.customer_month
join albacore.billing_run using (billing_run_id, month)
where state <> 'blocked'
order by customer, month, revision desc;
comment on view albacore.current_customer_month is 'The revision that counts: the newest that was rated. A correction that is still blocked leaves the old one in force.';

-- Rating makes these rows from machines and months that it has just read. Asking again, row by row, took half of a
-- month's rating; the statement trigger below asks once, and `verify` compares the records with the machine-days.
create table albacore.billing_record (
    billing_record_id bigint generated always as identity primary key,
    customer_month_id bigint not null,
    site text,
    machine_id integer,
    from_day date not null,
    to_day date not null check (to_day >= from_day),
    price_kind text not null check (price_kind in ('energy', 'machine_days', 'minimum')),
    tariff text not null,
    band text not null default '',
    quantity numeric not null,
    unit text not null,
    unit_price numeric not null,
    averaged boolean not null default false,  -- unit_price is what amount and quantity come to, for showing
    multiplier numeric not null default 1,
    currency text not null,
    amount numeric not null,  -- exact; rounded once, on the document's line
    wh bigint not null default 0,
    measured_wh bigint not null default 0,
    estimated_wh bigint not null default 0,
    line integer,  -- of the customer-month's document
    check (measured_wh + estimated_wh = wh)
);
comment on table albacore.billing_record is 'What a customer-month consists of: a row a machine, span of days and price, exact.';
comment on column albacore.billing_record.band is 'Tier, hours or index of the price; empty where the tariff has one price.';
create index billing_record_customer_month on albacore.billing_record (customer_month_id);

create function albacore.refuse_frozen() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct customer_month_id from touched) record
        left join albacore.customer_month month using (customer_month_id)
        where month.frozen_at is not null or month.customer_month_id is null
    ) then
        raise exception 'billing records stand in an open customer-month: what is behind a document never changes, a correction is a new revision';
    end if;
    return null;
end $$;
comment on function albacore.refuse_frozen is 'Trigger: records are written and changed in an open customer-month only.';
create trigger frozen_insert after insert on albacore.billing_record
    referencing new table as touched for each statement execute function albacore.refuse_frozen();
create trigger frozen_update after update on albacore.billing_record
    referencing old table as touched for each statement execute function albacore.refuse_frozen();

create function albacore.refuse_frozen_delete() returns trigger language plpgsql as $$
begin
    if exists (
        select from touched join albacore.customer_month using (customer_month_id) where frozen_at is not null
    ) then
        raise exception 'billing records behind a document never change: a correction is a new revision';
    end if;
    return null;
end $$;
comment on function albacore.refuse_frozen_delete is 'Trigger: records behind a document stay; those of a month that is gone go with it.';
create trigger frozen_delete after delete on albacore.billing_record
    referencing old table as touched for each statement execute function albacore.refuse_frozen_delete();
create trigger billing_record_no_truncate before truncate on albacore.billing_record
    for each statement execute function albacore.append_only();

create function albacore.drop_records() returns trigger language plpgsql as $$
begin
    delete from albacore.billing_record using deleted where billing_record.customer_month_id = deleted.customer_month_id;
    return null;
end $$;
comment on function albacore.drop_records is 'Trigger: a month goes with its records; one that has a document can''t go (frozen_month).';
create trigger customer_month_records after delete on albacore.customer_month
    referencing old table as deleted for each statement execute function albacore.drop_records();

-- Stable, as concat_ws is: then it is put into the query instead of being called for each record, which takes half the
-- time. A record without a band has neither band nor amount in it.
create function albacore.record_text(
    site text, machine_id integer, from_day date, to_day date, price_kind text, tariff text, quantity numeric,
    unit_price numeric, multiplier numeric, wh bigint, estimated_wh bigint, band text, amount numeric
) returns text language sql stable parallel safe as $$
    select concat_ws('|', site, machine_id, from_day - date '2000-01-01', to_day - date '2000-01-01', price_kind, tariff,
        trim_scale(quantity), trim_scale(unit_price), trim_scale(multiplier), wh, estimated_wh,
        nullif(band, ''), case when band <> '' then trim_scale(amount) end)
$$;
comment on function albacore.record_text is 'A record as a line of the text that its customer-month''s hash is over.';

create function albacore.band_name(weekdays integer[], from_hour integer, to_hour integer) returns text
language sql immutable strict parallel safe as $$
    select coalesce(nullif(concat_ws(' ',
        case
            when cardinality(weekdays) = 7 then null
            when cardinality(weekdays) > 2 and weekdays[cardinality(weekdays)] - weekdays[1] + 1 = cardinality(weekdays)
                then concat_ws('-', names[weekdays[1]], names[weekdays[cardinality(weekdays)]])
            else (select string_agg(names[day], ' ' order by day) from unnest(weekdays) as day)
        end,
        case when (from_hour, to_hour) <> (0, 24) then to_char(from_hour, 'FM00') || '-' || to_char(to_hour, 'FM00') end
    ), ''), 'all hours')
    from (values (array['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])) as week (names)
$$;
comment on function albacore.band_name is 'What a band of hours is called: Mon-Fri 07-22, Sat Sun, 22-06.';

-- `price` is empty where the price is an average.
create view albacore.line_group as
select customer_month_id, coalesce(site, '') as site, price_kind, tariff, band, unit, multiplier,
    case when averaged then null else unit_price end as price,
    sum(quantity) as quantity, sum(amount) as amount, sum(wh)::bigint as wh
from albacore.billing_record
group by customer_month_id, site, price_kind, tariff, band, unit, multiplier, case when averaged then null else unit_price end;
comment on view albacore.line_group is 'The records of a customer-month summed by what shares a line.';

create view albacore.billed_day as
select
    current.customer_month_id, current.month, current.customer, machine.site, assignment.machine_id, machine_day.day,
    albacore.wh_with_estimate(machine_day.wh, estimate.wh) as wh,
    machine_day.collection_id, coalesce(estimate.hours, 0) as estimated_hours, coalesce(estimate.wh, 0) as estimate_wh
from albacore.current_customer_month current
join albacore.assignment on assignment.customer = current.customer
    and assignment.state = 'billable'
    and albacore.valid_at(assignment.since_version, assignment.until_version, current.registry_version)
    and assignment.from_day <= current.last_day and assignment.to_day >= current.month
join albacore.machine using (machine_id)
join albacore.billing_run_collection used on used.billing_run_id = current.billing_run_id
    and used.site = machine.site
    and used.day between greatest(assignment.from_day, current.month) and least(assignment.to_day, current.last_day)
join albacore.machine_day on machine_day.collection_id = used.collection_id
    and machine_day.day = used.day and machine_day.machine_id = assignment.machine_id
left join albacore.machine_estimate estimate on estimate.collection_id = used.collection_id
    and estimate.day = used.day and estimate.machine_id = assignment.machine_id
    and albacore.valid_at(estimate.since_run, estimate.until_run, current.billing_run_id)
where machine_day.wh is not null or estimate.wh is not null;
comment on view albacore.billed_day is 'The machine-days that the current revisions billed, estimates included: by the registry''s version and the collections that the rating stood on, to be set against what is accepted today.';
