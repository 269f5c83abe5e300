-- Policies hold a list of stages, and one that is gone from the registry stays as it last was.

create or replace function albacore.policies_on(day date) returns table (policy text, from_day date, definition jsonb)
language sql stable parallel safe as $$
    select distinct on (policy) policy, from_day, definition
    from (
        select *, bool_or(until_version is null) over (partition by policy) as in_force,
            max(until_version) over (partition by policy) as gone_with
        from albacore.policy
    ) version
    where until_version is null or (not in_force and until_version = gone_with)
    order by policy, (from_day <= day) desc, case when from_day <= day then from_day end desc, from_day
$$;
comment on function albacore.policies_on is 'Each policy as it is on a day: the newest version that has begun by then; before the first one, the first one. Of a policy that the registry has no more, what it last said.';

-- The days of before were fields; they become stages where they were not the usual ones. No wait becomes shorter: as
-- many business days as there were days.
create function pg_temp.stage(name text, does text, after text, days integer, tell text[], owner text) returns jsonb
language sql as $$
    select jsonb_build_object('stage', name, 'does', does, 'after', after, 'business_days', days, 'tell', to_jsonb(tell),
        'owner', owner || '@albacore.example', 'template', name)
$$;

update albacore.policy set definition = (definition - array['upcoming_days_before', 'reminder_business_days', 'overdue_days',
    'final_notice_days', 'pause_business_days', 'veto_business_days', 'recovery_days', 'owner_business_days'])
    || case
        when (upcoming, reminder, overdue, final, pause, veto, recovery, owner_days) = (5, 1, 7, 14, 5, 1, 60, 2) then '{}'
        else jsonb_build_object('stages', (
            select jsonb_agg(stage || jsonb_build_object('owner_business_days', owner_days) order by nth)
            from (values
                (1, pg_temp.stage('upcoming', 'remind', 'due', -least(upcoming, 30), '{customer}', 'receivables')),
                (2, pg_temp.stage('reminder', 'remind', 'due', reminder, '{customer}', 'receivables')),
                (3, pg_temp.stage('overdue', 'remind', 'delivery', greatest(overdue - reminder, 1), '{customer,account_manager}', 'receivables')),
                (4, pg_temp.stage('final_notice', 'announce', 'delivery', greatest(final - overdue, 1), '{customer,account_manager}', 'finance')),
                (5, pg_temp.stage('pause_scheduled', 'schedule', 'delivery', greatest(pause, 1), '{customer,account_manager}', 'finance')),
                (6, pg_temp.stage('paused', 'pause', 'delivery', greatest(veto, 1), '{customer,account_manager}', 'operations')),
                (7, pg_temp.stage('recovery', 'hand_over', 'due',
                    greatest(recovery, reminder + overdue + final + pause + veto + 9), '{}', 'finance'))
            ) as row (nth, stage)
        ))
    end
from (
    select ctid as row_id,
        coalesce((definition ->> 'upcoming_days_before')::integer, 5) as upcoming,
        coalesce((definition ->> 'reminder_business_days')::integer, 1) as reminder,
        coalesce((definition ->> 'overdue_days')::integer, 7) as overdue,
        coalesce((definition ->> 'final_notice_days')::integer, 14) as final,
        coalesce((definition ->> 'pause_business_days')::integer, 5) as pause,
        coalesce((definition ->> 'veto_business_days')::integer, 1) as veto,
        coalesce((definition ->> 'recovery_days')::integer, 60) as recovery,
        coalesce((definition ->> 'owner_business_days')::integer, 2) as owner_days
    from albacore.policy
) old
where old.row_id = policy.ctid;
