-- The sites and their machines, and what every room's tables use.
--
-- Functions that are written in SQL are declared parallel safe in all rooms: one that is not keeps a whole query from
-- being spread over several processes, even where its text is put into the query.

create schema albacore;
comment on schema albacore is 'The platform''s own tables, room by room; what finance and BI read is the schema report.';

-- For tables that are only ever added to; `truncate` passes by row triggers and needs one of its own.
create function albacore.append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end $$;
comment on function albacore.append_only is 'Trigger: refuses every change of a row that stands.';

create table albacore.site (
    site text primary key,
    country text not null,
    timezone text not null,
    starts_on date not null,
    late_days integer not null  -- how long after a day its data may still arrive
);
comment on table albacore.site is 'The data centres, as the program knows them.';

create table albacore.machine (
    machine_id integer generated always as identity primary key,
    site text not null references albacore.site,
    machine text not null,
    rated_watts integer check (rated_watts > 0),
    serial text,
    model text,
    first_seen date,  -- empty: known from the registry only
    last_seen date,
    listed boolean not null default false,  -- by the site's newest inventory; false until its first one has been read
    unique (site, machine)
);
comment on table albacore.machine is 'Every machine that a site has shown or the registry has named, by the site''s own word for it.';

create table albacore.inventory_change (
    inventory_change_id bigint generated always as identity primary key,
    machine_id integer not null references albacore.machine,
    day date not null,  -- the site's day as of which it said so
    seen_at timestamptz not null,  -- when it was asked
    field text not null check (field in ('serial', 'model', 'rated_watts', 'listed')),
    old_value text,  -- empty: not known before
    new_value text not null
);
comment on table albacore.inventory_change is 'What a site said otherwise than before of a machine that it had shown already.';
create index inventory_change_machine on albacore.inventory_change (machine_id);
