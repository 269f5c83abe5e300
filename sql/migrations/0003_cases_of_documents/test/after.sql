do $$ begin
    assert (select count(*) = 1 from albacore.hold where kind = 'dispute' and lines is null), 'a hold is lost';
    assert (select array_agg(stage order by step_id) = '{reminder,paused}' from albacore.escalation_claim
        join albacore.escalation_step using (step_id, stage)), 'a step of before is lost';
    assert not exists (select from albacore.escalation_claim where superseded_at is null), 'a step of before still counts';
    assert not exists (select from albacore.escalation_case where closed_at is null), 'a case of before is still open';
    assert (select array_agg(distinct outcome) = '{closed}' from report.escalation), 'the report says that it goes on';
    assert not exists (select from albacore.effect where state = 'prepared' and kind in ('mail', 'power.resume')),
        'a mail or command of before would still go out';
    assert (select array_agg(machine_id) = '{1}' from albacore.stopped_machine), 'a machine that we paused is forgotten';
    assert (select count(*) = 1 from albacore.off_span where to_at is null), 'the span in which it stands still is lost';
    assert (select definition ->> 'overdue_days' is null and definition -> 'carry_below' = '{"NOK": "50"}'
        and definition #>> '{stages,2,business_days}' = '19' and jsonb_array_length(definition -> 'stages') = 7
        from albacore.policy where policy = 'slow'), 'a policy lost its days';
    assert (select not definition ? 'stages' from albacore.policy where policy = 'default'), 'the usual days were written out';
end $$;
