-- Customers, assignments, tariffs, prices and policies. A load is a version: a row lives from the version that
-- brought it until the version that took it away (empty: in force), so that any past version can be read again.
-- The current_… views show the rows in force; whoever does not ask about an earlier version reads those.

create table albacore.registry_version (
    version integer primary key,
    content_sha256 text not null,
    loaded_at timestamptz not null,
    actor text not null,
    reason text not null
);
comment on table albacore.registry_version is 'The loads of the registry''s files, each a version.';

create function albacore.valid_at(since bigint, until bigint, at bigint) returns boolean language sql immutable parallel safe as $$
    select since <= at and (until is null or until > at)
$$;
comment on function albacore.valid_at is 'Whether what came with one version or rating and went with another stood at a third: half-open, an empty end is open.';

create table albacore.entity (
    entity text not null,
    legal_name text not null,
    address text not null,
    vat_number text,
    email text,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version,
    unique (entity, since_version)
);
comment on table albacore.entity is 'The legal entities of ours that bill.';
create unique index entity_in_force on albacore.entity (entity) where until_version is null;

create view albacore.known_entity as
select entity, legal_name, address, vat_number, email
from albacore.entity
where not exists (
    select from albacore.entity later
    where later.entity = entity.entity and later.since_version > entity.since_version
);
comment on view albacore.known_entity is 'Each entity as last known: as in force, or as the registry last had it.';

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
    until_version integer references albacore.registry_version,
    unique (customer, since_version)
);
comment on table albacore.customer is 'Whom we bill, and on which terms.';
create unique index customer_in_force on albacore.customer (customer) where until_version is null;

create view albacore.current_customer as
select customer, name, legal_name, address, vat_number, email, country, language, currency, entity, payment_terms_days,
    tax_type, account_manager, policy
from albacore.customer where until_version is null;
comment on view albacore.current_customer is 'The customers in force.';

create view albacore.known_customer as
select customer, name, legal_name, address, vat_number, email, country, language, currency, entity, payment_terms_days,
    tax_type, account_manager, policy
from albacore.customer
where not exists (
    select from albacore.customer later
    where later.customer = customer.customer and later.since_version > customer.since_version
);
comment on view albacore.known_customer is 'Each customer as last known: as in force, or as the registry last had it.';

-- Without references to the versions: a load writes the version first and everything under it in one transaction, and
-- asking again for each of a hundred thousand rows cost as much as writing them.
create table albacore.assignment (
    assignment_id integer generated always as identity primary key,
    machine_id integer not null references albacore.machine,
    customer text not null,
    from_day date not null,
    to_day date not null default 'infinity' check (to_day >= from_day),  -- inclusive
    state text not null check (state in ('billable', 'repair', 'free')),
    since_version integer not null,
    until_version integer,
    -- a machine has one customer a day; the range form of machine_id does without btree_gist
    exclude using gist (
        int4range(machine_id, machine_id, '[]') with &&, daterange(from_day, to_day, '[]') with &&
    ) where (until_version is null)
);
comment on table albacore.assignment is 'Who rents which machine from when to when, on the site''s days.';
create index assignment_customer on albacore.assignment (customer);

create view albacore.current_assignment as
select assignment_id, machine_id, customer, from_day, to_day, state
from albacore.assignment where until_version is null;
comment on view albacore.current_assignment is 'The assignments in force: of all days, past and future ones too.';

create function albacore.assigned_at(instant timestamptz) returns table (machine_id integer, customer text, state text)
language sql stable parallel safe as $$
    select machine_id, assignment.customer, assignment.state
    from albacore.current_assignment assignment
    join albacore.machine using (machine_id)
    join albacore.site using (site)
    where (instant at time zone site.timezone)::date between assignment.from_day and assignment.to_day
$$;
comment on function albacore.assigned_at is 'Who has which machine at an instant: by the assignments in force, on the day that it then is at the site.';

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
    index text,  -- of an indexed tariff: the series in albacore.price that unit_price is added to
    multiplier numeric not null default 1 check (multiplier > 0),
    fee_per_machine_day numeric not null default 0 check (fee_per_machine_day >= 0),
    minimum_per_month numeric not null default 0 check (minimum_per_month >= 0),
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version,
    check (kind <> 'indexed' or (index is not null and unit_price is not null)),
    check (kind <> 'flat' or unit_price is not null)
);
comment on table albacore.tariff is 'What customers pay, from when to when; an empty customer or site means every one, and the most specific wins.';
comment on column albacore.tariff.unit_price is 'Of energy, where no band says otherwise; empty where the bands leave nothing out.';

create view albacore.current_tariff as
select tariff_id, tariff, customer, site, from_day, to_day, kind, currency, unit_price, index, multiplier,
    fee_per_machine_day, minimum_per_month
from albacore.tariff where until_version is null;
comment on view albacore.current_tariff is 'The tariffs in force.';

create table albacore.tariff_band (
    tariff text not null,
    from_kwh numeric not null default 0 check (from_kwh >= 0),
    weekdays integer[] not null,  -- 1 is Monday
    from_hour smallint not null check (from_hour between 0 and 23),
    to_hour smallint not null check (to_hour between 1 and 24),  -- half-open; not after from_hour: over midnight
    unit_price numeric not null,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
comment on table albacore.tariff_band is 'Where a tariff of that name costs something else: from a number of kWh of the customer''s month at the site on (tiered), or in some hours of the week at the site (time_of_use).';
create unique index tariff_band_in_force on albacore.tariff_band (tariff, from_kwh, weekdays, from_hour)
    where until_version is null;

create view albacore.current_tariff_band as
select tariff, from_kwh, weekdays, from_hour, to_hour, unit_price
from albacore.tariff_band where until_version is null;
comment on view albacore.current_tariff_band is 'The bands in force.';

-- Without references to the versions, as with assignments.
create table albacore.price (
    index text not null,
    hour_start timestamptz not null check (date_trunc('hour', hour_start, 'UTC') = hour_start),
    currency text not null,
    price_per_kwh numeric not null,
    since_version integer not null,
    until_version integer
);
comment on table albacore.price is 'Hourly series of prices; a price may be negative.';
create unique index price_in_force on albacore.price (index, currency, hour_start) where until_version is null;

create view albacore.current_price as
select index, hour_start, currency, price_per_kwh
from albacore.price where until_version is null;
comment on view albacore.current_price is 'The prices in force.';

create table albacore.machine_rating (
    machine_id integer not null references albacore.machine,
    rated_watts integer check (rated_watts > 0),
    serial text,
    model text,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
comment on table albacore.machine_rating is 'What the registry knows better about a machine than its site.';
create unique index machine_rating_in_force on albacore.machine_rating (machine_id) where until_version is null;

create view albacore.current_machine_rating as
select machine_id, rated_watts, serial, model
from albacore.machine_rating where until_version is null;
comment on view albacore.current_machine_rating is 'The ratings in force.';

create table albacore.policy (
    policy text not null,
    from_day date not null,
    definition jsonb not null,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
comment on table albacore.policy is 'The policies of billing and escalation by name, each from a day on.';
create unique index policy_in_force on albacore.policy (policy, from_day) where until_version is null;

create function albacore.policies_on(day date) returns table (policy text, from_day date, definition jsonb)
language sql stable parallel safe as $$
    select distinct on (policy) policy, from_day, definition
    from albacore.policy
    where until_version is null
    order by policy, (from_day <= day) desc, case when from_day <= day then from_day end desc, from_day
$$;
comment on function albacore.policies_on is 'Each policy as it is on a day: the newest that has begun by then; before the first one, the first one.';
