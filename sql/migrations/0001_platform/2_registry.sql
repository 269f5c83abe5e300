-- Customers, assignments, tariffs, prices and policies. A load is a version: a row lives from the version that
-- brought it until the version that took it away (empty: in force), so that any past version can be read again.

create table albacore.registry_version (
    version integer primary key,
    content_sha256 text not null,
    loaded_at timestamptz not null,
    actor text not null,
    reason text not null
);

create table albacore.customer (
    customer_id integer generated always as identity primary key,
    customer text not null,
    name text not null,
    legal_name text not null,
    address text not null,
    vat_number text,
    email text not null,
    country text not null,
    language text not null,
    currency text not null,
    entity text not null,
    payment_terms_days integer not null check (payment_terms_days between 0 and 365),
    tax_type text not null,
    account_manager text not null,
    policy text not null,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
create unique index customer_in_force on albacore.customer (customer) where until_version is null;

create table albacore.assignment (
    assignment_id integer generated always as identity primary key,
    machine_id integer not null references albacore.machine,
    customer text not null,
    from_day date not null,
    to_day date not null default 'infinity' check (to_day >= from_day),  -- inclusive
    state text not null check (state in ('billable', 'repair', 'free')),
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version,
    -- a machine has one customer a day; the range form of machine_id does without btree_gist
    exclude using gist (
        int4range(machine_id, machine_id, '[]') with &&, daterange(from_day, to_day, '[]') with &&
    ) where (until_version is null)
);
create index assignment_customer on albacore.assignment (customer);

create table albacore.tariff (
    tariff_id integer generated always as identity primary key,
    tariff text not null,
    customer text,
    site text references albacore.site,
    from_day date not null,
    to_day date not null default 'infinity' check (to_day >= from_day),
    kind text not null check (kind in ('flat', 'tiered', 'time_of_use', 'indexed')),
    currency text not null,
    unit_price numeric check (unit_price >= 0),
    multiplier numeric not null default 1 check (multiplier > 0),
    fee_per_machine_day numeric not null default 0 check (fee_per_machine_day >= 0),
    minimum_per_month numeric not null default 0 check (minimum_per_month >= 0),
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);

create table albacore.machine_rating (
    machine_id integer not null references albacore.machine,
    rated_watts integer check (rated_watts > 0),
    serial text,
    model text,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
create unique index machine_rating_in_force on albacore.machine_rating (machine_id) where until_version is null;

create table albacore.policy (
    policy text not null,
    from_day date not null,
    definition jsonb not null,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
create unique index policy_in_force on albacore.policy (policy, from_day) where until_version is null;
