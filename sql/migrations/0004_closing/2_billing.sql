-- What bills gain: prices that are averages, months that wait, and the price of an index in the content's hash.

-- Rating makes these rows from machines and months that it has just read. Asking again, row by row, took half of a
-- month's rating; the statement trigger below asks once, and `verify` compares the records with the machine-days.
alter table albacore.billing_record
    drop constraint billing_record_site_fkey,
    drop constraint billing_record_machine_id_fkey,
    drop constraint billing_record_customer_month_id_fkey,
    add column averaged boolean not null default false;  -- unit_price is what amount and quantity come to, for showing
comment on column albacore.billing_record.band is 'Tier, hours or index of the price; empty where the tariff has one price.';

create or replace function albacore.refuse_frozen() returns trigger language plpgsql as $$
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

-- A month goes with its records; one that has a document can't go (frozen_month).
create function albacore.drop_records() returns trigger language plpgsql as $$
begin
    delete from albacore.billing_record using gone where billing_record.customer_month_id = gone.customer_month_id;
    return null;
end $$;
drop trigger frozen_delete on albacore.billing_record;
create function albacore.refuse_frozen_delete() returns trigger language plpgsql as $$
begin
    if exists (
        select from touched join albacore.customer_month using (customer_month_id) where frozen_at is not null
    ) then
        raise exception 'billing records behind a document never change: a correction is a new revision';
    end if;
    return null;
end $$;
create trigger frozen_delete after delete on albacore.billing_record
    referencing old table as touched for each statement execute function albacore.refuse_frozen_delete();
create trigger customer_month_records after delete on albacore.customer_month
    referencing old table as gone for each statement execute function albacore.drop_records();

-- The same text as before for a record without a band, so that what was hashed before still holds. Stable, as concat_ws
-- is: then it is put into the query instead of being called for each record, which takes half the time.
drop function albacore.record_text;
create function albacore.record_text(
    site text, machine_id integer, from_day date, to_day date, price_kind text, tariff text, quantity numeric,
    unit_price numeric, multiplier numeric, wh bigint, estimated_wh bigint, band text, amount numeric
) returns text language sql stable as $$
    select concat_ws('|', site, machine_id, from_day - date '2000-01-01', to_day - date '2000-01-01', price_kind, tariff,
        trim_scale(quantity), trim_scale(unit_price), trim_scale(multiplier), wh, estimated_wh,
        nullif(band, ''), case when band <> '' then trim_scale(amount) end)
$$;

-- Why a rated month has no document yet: `review` (out of line with the months before; a person releases it) or
-- `carry` (a small correction that the next invoice will bring).
alter table albacore.customer_month
    add column waits text check (waits in ('review', 'carry')),
    add column released_by text;

-- The records of a customer-month summed by what shares a line; `price` is empty where the price is an average.
create view albacore.line_group as
select customer_month_id, coalesce(site, '') as site, price_kind, tariff, band, unit, multiplier,
    case when averaged then null else unit_price end as price,
    sum(quantity) as quantity, sum(amount) as amount, sum(wh)::bigint as wh
from albacore.billing_record
group by customer_month_id, site, price_kind, tariff, band, unit, multiplier, case when averaged then null else unit_price end;

-- A line says which revision it brings: its document's own, or a correction that was carried here.
alter table albacore.document_line add column customer_month_id bigint references albacore.customer_month;
alter table albacore.document_line disable trigger document_line_frozen;
update albacore.document_line set customer_month_id = document.customer_month_id
from albacore.document where document.document_id = document_line.document_id;
alter table albacore.document_line enable trigger document_line_frozen;
alter table albacore.document_line alter column customer_month_id set not null;
create index document_line_customer_month on albacore.document_line (customer_month_id);

-- Which machine-days the current revisions billed, estimates of that rating included.
create or replace view albacore.billed_day as
select
    current.customer_month_id, current.month, current.customer, machine.site, assignment.machine_id, machine_day.day,
    case when estimate.wh is null then machine_day.wh else coalesce(machine_day.wh, 0) + estimate.wh end as wh,
    machine_day.collection_id, coalesce(estimate.hours, 0) as estimated_hours, coalesce(estimate.wh, 0) as estimate_wh
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
left join albacore.machine_estimate estimate on estimate.collection_id = used.collection_id
    and estimate.day = used.day and estimate.machine_id = assignment.machine_id
    and estimate.since_run <= current.billing_run_id
    and (estimate.until_run is null or estimate.until_run > current.billing_run_id)
where machine_day.wh is not null or estimate.wh is not null;

-- What a band of hours is called: 'Mon-Fri 07-22', 'Sat Sun', '22-06'.
create function albacore.band_name(weekdays integer[], from_hour integer, to_hour integer) returns text
language sql immutable strict as $$
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

-- What a month comes to, to hold the next ones against.
alter table albacore.customer_month
    add column rated_machine_days integer,
    add column rated_wh bigint,
    add column rated_amount numeric;
