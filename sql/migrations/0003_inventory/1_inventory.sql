-- Whether the site's newest inventory lists a machine; false until its first one has been read.
alter table albacore.machine add column listed boolean not null default false;

-- What a site said otherwise than before of a machine that it had shown already.
create table albacore.inventory_change (
    inventory_change_id bigint generated always as identity primary key,
    machine_id integer not null references albacore.machine,
    day date not null,  -- the site's day as of which it said so
    seen_at timestamptz not null,  -- when it was asked
    field text not null check (field in ('serial', 'model', 'rated_watts', 'listed')),
    old_value text,  -- empty: not known before
    new_value text not null
);
create index inventory_change_machine on albacore.inventory_change (machine_id);
