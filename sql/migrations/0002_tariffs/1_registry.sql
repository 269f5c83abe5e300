-- Prices that are more than one number, and the legal entities of ours that bill. Versioned like the rest of the registry.

alter table albacore.tariff
    add column index text,  -- of an indexed tariff: the series in albacore.price that unit_price is added to
    add check (kind <> 'indexed' or (index is not null and unit_price is not null)),
    add check (kind <> 'flat' or unit_price is not null);
comment on column albacore.tariff.unit_price is 'Of energy, where no band says otherwise; empty where the bands leave nothing out.';

-- Where a tariff of that name costs something else: from a number of kWh of the customer's month at the site on
-- (tiered), or in some hours of the week at the site (time_of_use).
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
create unique index tariff_band_in_force on albacore.tariff_band (tariff, from_kwh, weekdays, from_hour) where until_version is null;

-- Hourly series; a price may be negative.
create table albacore.price (
    index text not null,
    hour_start timestamptz not null check (date_trunc('hour', hour_start, 'UTC') = hour_start),
    currency text not null,
    price_per_kwh numeric not null,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
create unique index price_in_force on albacore.price (index, currency, hour_start) where until_version is null;

create table albacore.entity (
    entity text not null,
    legal_name text not null,
    address text not null,
    vat_number text,
    email text,
    since_version integer not null references albacore.registry_version,
    until_version integer references albacore.registry_version
);
create unique index entity_in_force on albacore.entity (entity) where until_version is null;

drop view report.tariffs;
create view report.tariffs as
select tariff, customer, site, from_day, nullif(to_day, 'infinity') as to_day, kind, currency, unit_price, multiplier,
    fee_per_machine_day, minimum_per_month, index
from albacore.tariff where until_version is null;
comment on view report.tariffs is 'The tariffs in force; an empty customer or site means every one, the most specific wins.';
comment on column report.tariffs.kind is 'flat, tiered, time_of_use, indexed.';
comment on column report.tariffs.unit_price is 'Of a kWh where no band says otherwise; of an indexed tariff, what is added to the hour''s price.';

create view report.tariff_bands as
select tariff, from_kwh, weekdays, from_hour, to_hour, unit_price from albacore.tariff_band where until_version is null;
comment on view report.tariff_bands is 'Where a tariff costs something else: above a number of kWh, or in some hours of the week at the site.';
comment on column report.tariff_bands.weekdays is '1 is Monday.';
comment on column report.tariff_bands.to_hour is 'Half-open; not after from_hour: over midnight.';

create view report.prices as
select index, hour_start, currency, price_per_kwh from albacore.price where until_version is null;
comment on view report.prices is 'The hourly price series in force.';
