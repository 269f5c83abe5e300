-- Machines that are off by our command and that no plan stands for any more; `pending` where a resume is under way, `asked`
-- how many there were. The reason is why the plan fell.
select stopped.machine_id, machine.site, machine.machine, stopped.command_id, stopped.customer, stopped.holder, stopped.state,
    coalesce(fallen.why, case
        when stopped.holder is distinct from stopped.customer then 'the machine is no longer the debtor''s'
        else 'no plan stands for it'
    end) as reason,
    resume.asked, resume.pending
from albacore.to_resume_at(:now) stopped
join albacore.machine using (machine_id)
left join lateral (
    select string_agg(distinct fell_why, '; ') as why from albacore.pause_plan_item item
    where item.plan_id = stopped.plan_id and item.machine_id = stopped.machine_id and fell_at is not null
) fallen on true
cross join lateral (
    select count(*)::integer as asked,
        coalesce(bool_or(outcome = 'requested' or (outcome = 'sent' and by_ticket)), false) as pending
    from albacore.machine_command later
    where later.machine_id = stopped.machine_id and later.action = 'resume' and later.command_id > stopped.command_id
) resume
order by stopped.command_id
