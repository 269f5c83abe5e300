-- Missing hours that were estimated by rule. Versioned by the ratings, as the registry is by its loads: an estimate
-- counts for the ratings from since_run on, before until_run (empty: in force), and only beside its own collection.
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
create unique index machine_estimate_in_force on albacore.machine_estimate (machine_id, day) where until_run is null;
create index machine_estimate_day on albacore.machine_estimate (day);

-- The machine-days that count now, with the estimates in force beside them.
create view albacore.known_day as
select machine_day.collection_id, machine_day.machine_id, machine_day.day, accepted.site, accepted.revision, accepted.collected_at,
    case when estimate.wh is null then machine_day.wh else coalesce(machine_day.wh, 0) + estimate.wh end as wh,
    estimated_wh + coalesce(estimate.wh, 0) as estimated_wh,
    machine_day.hourly_wh, coalesce(estimate.hourly_quality, machine_day.hourly_quality) as hourly_quality,
    estimate.hourly_wh as hourly_estimate,
    hours_expected, hours_measured, (hours_estimated + coalesce(estimate.hours, 0))::smallint as hours_estimated,
    case
        when estimate.hours is null then quality
        when hours_measured + hours_estimated + estimate.hours < hours_expected then 'partial'
        else 'estimated'
    end as quality, flags
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
left join albacore.machine_estimate estimate on estimate.collection_id = machine_day.collection_id
    and estimate.machine_id = machine_day.machine_id and estimate.day = machine_day.day and estimate.until_run is null;

-- The few machine-days that are not simply measured, for whoever asks what a month lacks.
create index machine_day_odd on albacore.machine_day (collection_id, machine_id)
    where hours_measured + hours_estimated < hours_expected or estimated_wh > 0;
