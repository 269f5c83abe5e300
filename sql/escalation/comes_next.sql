-- What comes next by the last decisions, the soonest first.
select next_stage, next_on, count(*)::integer as documents, min(number) as number
from albacore.escalation_case
join albacore.last_decision using (case_id)
where closed_at is null and next_on is not null and next_on > cast(:now as timestamptz)::date
group by next_stage, next_on
order by next_on, next_stage
limit 1
