-- What the data centres said: collections (one reading of one site-day) and machine-days.

create table albacore.collection (
    collection_id bigint generated always as identity primary key,
    site text not null references albacore.site,
    day date not null,
    revision integer not null check (revision > 0),
    state text not null check (state in ('accepted', 'waiting', 'refused')),
    collected_at timestamptz not null,
    last_read_at timestamptz not null,  -- when the site last said just this
    run_id text not null,
    content_sha256 text not null,
    readings bigint not null,
    raw jsonb not null,  -- sha256 of each raw answer in the archive
    reason text,
    decided_by text,
    decided_at timestamptz,
    unique (site, day, revision)
);
comment on table albacore.collection is 'One successful reading of one site-day. Immutable but for its acceptance.';
create index collection_accepted on albacore.collection (site, day, revision desc) where state = 'accepted';

create view albacore.accepted_collection as
select distinct on (site, day) collection_id, site, day, revision, collected_at
from albacore.collection
where state = 'accepted'
order by site, day, revision desc;
comment on view albacore.accepted_collection is 'The reading of each site-day that counts: the newest accepted revision.';

create function albacore.complete_at(day date, late_days integer, timezone text) returns timestamptz
language sql immutable parallel safe as $$
    select (day + (1 + late_days) * interval '1 day') at time zone timezone
$$;
comment on function albacore.complete_at is 'From when nothing more of a site''s day can arrive: its local end, and the days that data may be late.';

-- The packed row: hours in UTC order. A missing hour holds 0 and is marked as missing in hourly_quality; nothing reads
-- hourly_wh without it.
create table albacore.machine_day (
    collection_id bigint not null references albacore.collection,
    machine_id integer not null references albacore.machine,
    day date not null,
    wh bigint check (wh >= 0),  -- empty when every hour is missing
    hourly_wh integer[] not null,
    hourly_quality text not null,  -- a letter an hour: m measured, i interpolated, e estimated, x missing
    quality text not null check (quality in ('measured', 'interpolated', 'estimated', 'partial', 'missing')),
    hours_expected smallint not null check (hours_expected between 23 and 25),
    hours_measured smallint not null check (hours_measured >= 0),  -- interpolated ones included
    hours_estimated smallint not null check (hours_estimated >= 0),
    estimated_wh bigint not null check (estimated_wh >= 0),
    flags text not null,
    primary key (day, collection_id, machine_id),
    check (cardinality(hourly_wh) = hours_expected and length(hourly_quality) = hours_expected),
    check (hours_measured + hours_estimated <= hours_expected),
    check (estimated_wh <= coalesce(wh, 0))
) partition by range (day);
comment on table albacore.machine_day is 'A machine''s day in one collection, its hours packed into an array. A partition a month.';
create index machine_day_machine on albacore.machine_day (machine_id, day);
-- The few machine-days that are not simply measured, for whoever asks what a month lacks.
create index machine_day_not_measured on albacore.machine_day (collection_id, machine_id)
    where hours_measured + hours_estimated < hours_expected or estimated_wh > 0;

create function albacore.ensure_month(a_day date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', a_day)::date;
    name text := 'machine_day_' || to_char(a_day, 'YYYY_MM');
begin
    if to_regclass('albacore.' || name) is null then
        perform pg_advisory_xact_lock(hashtextextended('albacore.machine_day partition', 0));  -- database/locks.py
        execute format(
            'create table if not exists albacore.%I partition of albacore.machine_day for values from (%L) to (%L)',
            name, first, (first + interval '1 month')::date);
    end if;
end $$;
comment on function albacore.ensure_month is 'Makes the partition of a month when its first day is stored; safe to call from several processes at once.';

create table albacore.quarantined_reading (
    collection_id bigint not null references albacore.collection,
    machine text not null,
    at timestamptz,
    value text not null,
    reason text not null
);
comment on table albacore.quarantined_reading is 'What was refused, with its reason and the raw value: nothing vanishes.';
create index quarantined_reading_collection on albacore.quarantined_reading (collection_id);
