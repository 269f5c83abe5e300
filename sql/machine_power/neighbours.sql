-- Machines of a site whose names stand nearest to a machine's and that we have not stopped: a control that switches the
-- wrong machine will mostly hit one of them.
select machine from (
    (select machine from albacore.machine where site = :site and machine < :machine and last_seen is not null
        and machine_id not in (select machine_id from albacore.stopped_machine) order by machine desc limit 5)
    union all
    (select machine from albacore.machine where site = :site and machine > :machine and last_seen is not null
        and machine_id not in (select machine_id from albacore.stopped_machine) order by machine limit 5)
) near
order by machine
