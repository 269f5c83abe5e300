-- What a rating stands on, and what is done about hours that nobody measured.

create table albacore.accepted_gap (
    machine_id integer not null references albacore.machine,
    day date not null,
    reason text not null check (reason <> ''),
    actor text not null,
    accepted_at timestamptz not null,
    primary key (machine_id, day)
);
comment on table albacore.accepted_gap is 'A person''s word that hours of a machine-day will never be known and are not billed.';

create table albacore.billing_run (
    billing_run_id bigint generated always as identity primary key,
    month date not null check (extract(day from month) = 1),
    registry_version integer not null references albacore.registry_version,
    run_id text not null,
    computed_at timestamptz not null
);
comment on table albacore.billing_run is 'The ratings of a month, each by a version of the registry.';

create table albacore.billing_run_collection (
    billing_run_id bigint not null references albacore.billing_run,
    collection_id bigint not null references albacore.collection,
    site text not null,
    day date not null,
    primary key (billing_run_id, site, day)
);
comment on table albacore.billing_run_collection is 'The collection of each site-day that a rating stood on.';

-- Versioned by the ratings, as the registry is by its loads.
create table albacore.machine_estimate (
    machine_id integer not null references albacore.machine,
    day date not null,
    collection_id bigint not null references albacore.collection,
    hourly_wh integer[] not null,  -- as long as the machine-day's; 0 in hours that are not estimated
    hourly_quality text not null,  -- the machine-day's with e for x in the estimated hours
    hours smallint not null check (hours > 0),
    wh bigint not null check (wh >= 0),
    since_run bigint not null references albacore.billing_run,
    until_run bigint references albacore.billing_run,
    check (cardinality(hourly_wh) = length(hourly_quality))
);
comment on table albacore.machine_estimate is 'Missing hours that were estimated by rule: for the ratings from since_run on, before until_run (empty: in force), and only beside their own collection.';
create unique index machine_estimate_in_force on albacore.machine_estimate (machine_id, day) where until_run is null;
create index machine_estimate_day on albacore.machine_estimate (day);

create function albacore.wh_with_estimate(wh bigint, estimated_wh bigint) returns bigint language sql immutable parallel safe as $$
    select case when estimated_wh is null then wh else coalesce(wh, 0) + estimated_wh end
$$;
comment on function albacore.wh_with_estimate is 'A machine-day''s energy with what was estimated of its missing hours; empty where nothing is known.';

create function albacore.quality_with_estimate(quality text, hours_missing integer, hours_filled integer) returns text
language sql immutable parallel safe as $$
    select case
        when hours_filled is null then quality
        when hours_filled < hours_missing then 'partial'
        else 'estimated'
    end
$$;
comment on function albacore.quality_with_estimate is 'A machine-day''s quality when so many of its missing hours were estimated; empty: there is no estimate.';

create view albacore.known_day as
select machine_day.collection_id, machine_day.machine_id, machine_day.day, accepted.site, accepted.revision, accepted.collected_at,
    albacore.wh_with_estimate(machine_day.wh, estimate.wh) as wh,
    estimated_wh + coalesce(estimate.wh, 0) as estimated_wh,
    machine_day.hourly_wh, coalesce(estimate.hourly_quality, machine_day.hourly_quality) as hourly_quality,
    estimate.hourly_wh as hourly_estimate,
    hours_expected, hours_measured, (hours_estimated + coalesce(estimate.hours, 0))::smallint as hours_estimated,
    albacore.quality_with_estimate(quality, hours_expected - hours_measured - hours_estimated, estimate.hours) as quality,
    flags
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
left join albacore.machine_estimate estimate on estimate.collection_id = machine_day.collection_id
    and estimate.machine_id = machine_day.machine_id and estimate.day = machine_day.day and estimate.until_run is null;
comment on view albacore.known_day is 'The machine-days that count now, with the estimates in force beside them.';
