-- Holds that end within days and of whose end nobody was told yet.
select hold_id, customer, number, kind, reason, owner, until_at
from albacore.hold
where released_at is null and until_at > :now and until_at <= cast(:now as timestamptz) + interval '3 days' and from_at < cast(:now as timestamptz) - interval '1 day'
    and not exists (select from albacore.task where task.key = 'hold:' || hold_id)
order by hold_id
