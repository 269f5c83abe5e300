-- What finance and BI read. Columns may be added, never renamed. Credit notes are negative; kWh and money are numeric.

create schema report;
comment on schema report is 'Read-only views for finance and BI; month is text YYYY-MM, energy is kWh, credit notes are negative.';

create view report.machine_days as
select machine.site, machine.machine, day, wh * 0.001 as kwh, hours_expected, hours_measured, hours_estimated, quality,
    accepted.revision, accepted.collected_at, flags
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
join albacore.machine using (machine_id);
comment on view report.machine_days is 'Energy of each machine and site-local day, by the newest accepted revision of the day.';
comment on column report.machine_days.kwh is 'Empty when no hour is known; never zero for missing.';
comment on column report.machine_days.hours_expected is '23, 24 or 25: hours of that calendar day at the site.';
comment on column report.machine_days.hours_measured is 'Hours measured or interpolated between measurements.';
comment on column report.machine_days.hours_estimated is 'Hours estimated by rule.';
comment on column report.machine_days.quality is 'The worst of the hours: measured, interpolated, estimated, partial (some missing), missing.';
comment on column report.machine_days.revision is 'Which reading of the site-day this is.';
comment on column report.machine_days.collected_at is 'When this revision was collected.';
comment on column report.machine_days.flags is 'What was seen in the readings: reset, rollover, conflict, trend, refused, unrated.';

create view report.machine_hours as
select machine.site, machine.machine,
    (day::timestamp at time zone site.timezone) + (hour.number - 1) * interval '1 hour' as hour_start,
    case when hour.quality <> 'x' then hour.wh * 0.001 end as kwh,
    case hour.quality when 'm' then 'measured' when 'i' then 'interpolated' when 'e' then 'estimated' else 'missing' end as quality
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
join albacore.machine using (machine_id)
join albacore.site on site.site = machine.site
cross join lateral unnest(hourly_wh, regexp_split_to_array(hourly_quality, '')) with ordinality as hour (wh, quality, number);
comment on view report.machine_hours is 'Energy of each machine and hour; hour_start is an instant.';
comment on column report.machine_hours.quality is 'measured, interpolated, estimated, missing.';

create view report.gaps as
select machine.site, machine.machine, machine_day.day,
    hours_expected - hours_measured - hours_estimated as hours_missing,
    assignment.customer,
    case when accepted_gap.machine_id is not null then 'accepted' else 'open' end as state,
    coalesce(accepted_gap.reason, '') as reason
from albacore.accepted_collection accepted
join albacore.machine_day using (collection_id, day)
join albacore.machine using (machine_id)
left join albacore.accepted_gap using (machine_id, day)
left join albacore.assignment on assignment.machine_id = machine.machine_id and assignment.until_version is null
    and machine_day.day between assignment.from_day and assignment.to_day
where hours_measured + hours_estimated < hours_expected;
comment on view report.gaps is 'Hours that are neither measured nor estimated.';
comment on column report.gaps.state is 'open, or accepted by a person; small gaps that the customer''s policy lets pass stay open here and are not billed.';

create view report.assignments as
select machine.site, machine.machine, customer, from_day, nullif(to_day, 'infinity') as to_day, state
from albacore.assignment join albacore.machine using (machine_id) where until_version is null;
comment on view report.assignments is 'Who rents which machine when; days inclusive, an empty to_day is open.';
comment on column report.assignments.state is 'billable, repair, free.';

create view report.tariffs as
select tariff, customer, site, from_day, nullif(to_day, 'infinity') as to_day, kind, currency, unit_price, multiplier,
    fee_per_machine_day, minimum_per_month
from albacore.tariff where until_version is null;
comment on view report.tariffs is 'The tariffs in force; an empty customer or site means every one, the most specific wins.';

create view report.billing_records as
select to_char(current.month, 'YYYY-MM') as month, current.revision, current.customer, billing_record.site, machine.machine,
    from_day, to_day, price_kind, quantity, unit, unit_price, billing_record.currency, amount, wh * 0.001 as kwh,
    measured_wh * 0.001 as measured_kwh, estimated_wh * 0.001 as estimated_kwh, document.number,
    case when document.number is not null then billing_record.line end as line, tariff, band, multiplier
from albacore.current_customer_month current
join albacore.billing_record using (customer_month_id)
left join albacore.machine using (machine_id)
left join albacore.document using (customer_month_id);
comment on view report.billing_records is 'The current revision of each customer-month, whole; days inclusive.';
comment on column report.billing_records.amount is 'Exact; rounded once, on the document''s line.';
comment on column report.billing_records.kwh is 'Measured or estimated energy; 0 on rows that are not energy.';
comment on column report.billing_records.price_kind is 'energy, machine_days, minimum.';
comment on column report.billing_records.number is 'The document that brought this revision; empty until there is one.';

create view report.customer_months as
select distinct on (customer, month) to_char(month, 'YYYY-MM') as month, customer, state, revision, reason
from albacore.customer_month
order by customer, month, revision desc;
comment on view report.customer_months is 'Where each customer''s month stands: its newest revision.';
comment on column report.customer_months.state is 'open (no row yet: the month still runs), ready, blocked, invoiced, corrected.';

create view report.unbilled as
with balance as (  -- grouped by machine and day, so that a question about some days looks at those only
    select machine_id, day, sum(wh) as wh, bool_or(billed) as billed
    from (
        select machine_id, day, wh, false as billed
        from albacore.accepted_collection join albacore.machine_day using (collection_id, day)
        where wh is not null
        union all
        select machine_id, day, -wh, true from albacore.billed_day
    ) entry
    group by machine_id, day
    having sum(wh) <> 0 or not bool_or(billed)
),
newest as (
    select distinct on (customer, month) customer, month, state, reason
    from albacore.customer_month order by customer, month, revision desc
)
select to_char(balance.day, 'YYYY-MM') as month, machine.site, machine.machine, balance.day, assignment.customer,
    balance.wh * 0.001 as kwh,
    case
        when balance.billed then 'pending_correction'
        when assignment.customer is null then 'unassigned'
        when assignment.state <> 'billable' then 'not_billable'
        when newest.state = 'blocked' and newest.reason like 'no tariff%' then 'no_tariff'
        when newest.state = 'blocked' then 'customer_blocked'
        when newest.state is null then 'month_open'
        else 'pending_correction'
    end as reason
from balance
join albacore.machine using (machine_id)
left join albacore.assignment on assignment.machine_id = balance.machine_id and assignment.until_version is null
    and balance.day between assignment.from_day and assignment.to_day
left join newest on newest.customer = assignment.customer and newest.month = date_trunc('month', balance.day)::date;
comment on view report.unbilled is 'Every kWh that is measured or estimated and stands in no billing record, with the reason.';
comment on column report.unbilled.kwh is 'For a pending correction the difference to what is billed, which may be negative.';
comment on column report.unbilled.reason is 'unassigned, not_billable, no_tariff, customer_blocked, month_open, pending_correction.';

create view report.invoices as
select to_char(month, 'YYYY-MM') as month, customer, number, document.kind, revision, currency, subtotal, tax, total, document.state, amount_due,
    as_of, issued_on, due_on, xero_id, payment_link, (mail.answer ->> 'accepted_at')::timestamptz as sent_at
from albacore.document
left join albacore.effect mail on mail.business_key = 'mail:document:' || number;
comment on view report.invoices is 'Every document; credit notes are negative.';
comment on column report.invoices.state is 'prepared, drafted (in Xero, not yet approved), issued, paid, voided, parked (needs a person).';
comment on column report.invoices.amount_due is 'What Xero said at as_of.';

create view report.invoice_lines as
select number, line, description, quantity, unit, unit_price, amount, document_line.tax
from albacore.document_line join albacore.document using (document_id);
comment on view report.invoice_lines is 'The lines of every document; those of credit notes are negative.';

create view report.payments as
select number, customer, paid_on, amount, payment_event.kind, payment_event.xero_id
from albacore.payment_event join albacore.document using (document_id);
comment on view report.payments is 'What was paid or credited on each document, as Xero reports it.';
comment on column report.payments.kind is 'payment, credit, reversal (negative).';

create view report.aged_debt as
select customer, currency,
    sum(amount_due) filter (where age <= 0) as not_due,
    sum(amount_due) filter (where age between 1 and 30) as days_1_30,
    sum(amount_due) filter (where age between 31 and 60) as days_31_60,
    sum(amount_due) filter (where age between 61 and 90) as days_61_90,
    sum(amount_due) filter (where age > 90) as days_over_90
from (
    select customer, currency, coalesce(amount_due, 0) as amount_due, as_of::date - due_on as age
    from albacore.document where state in ('issued', 'paid') and kind <> 'credit_note'
) document
where amount_due <> 0
group by customer, currency;
comment on view report.aged_debt is 'Open amounts by days after the due date, as of the last reading of each document in Xero.';

create view report.escalation as
select escalation_case.customer, step.number, step.stage, step.decided_at,
    min((effect.answer ->> 'accepted_at')::timestamptz) as sent_at,
    case when bool_and(effect.state = 'done' and notice.bounced_at is null)
        then max((effect.answer ->> 'accepted_at')::timestamptz) + interval '24 hours' end as delivered_at,
    step.owner, step.due_by, step.outcome
from albacore.escalation_step step
join albacore.escalation_case using (case_id)
left join albacore.notice using (step_id)
left join albacore.effect using (effect_id)
group by step.step_id, escalation_case.customer;
comment on view report.escalation is 'Each step of each case: who owns it, until when, and whether its notices arrived.';
comment on column report.escalation.delivered_at is 'When every notice had been with the relay for 24 hours without a bounce; may lie ahead.';

create view report.holds as
select customer, number, kind, reason, owner, from_at, coalesce(released_at, until_at) as until_at from albacore.hold;
comment on view report.holds is 'What keeps a customer or a document out of escalation; until_at is when it was released or will expire.';
comment on column report.holds.kind is 'dispute, promise_to_pay, payment_in_flight, manual, exempt.';

create view report.machine_commands as
select machine.site, machine.machine, customer, action, reason, requested_at, sent_at, verified_at, outcome
from albacore.machine_command join albacore.machine using (machine_id);
comment on view report.machine_commands is 'Every pause and resume of a machine.';
comment on column report.machine_commands.outcome is 'requested, sent, verified (the power state was read back), cancelled, failed.';

create view report.reconciliation as
select number, field, ours, xeros, seen_at from albacore.reconciliation where settled_at is null;
comment on view report.reconciliation is 'Where Xero and we differ; empty is good.';

create view report.audit as
select seq, at, actor, action, subject, details, hash from albacore.audit_event;
comment on view report.audit is 'Who did what; each hash covers all events before it.';
