-- What finance and BI read. Columns may be added, never renamed. Credit notes are negative; kWh and money are numeric.
-- What the columns mean stands in the next file. No function that reads a table stands in these views: it would ask for
-- the reader's rights on that table, where a view asks for its owner's.

create schema report;
comment on schema report is 'Read-only views for finance and BI; month is text YYYY-MM, energy is kWh, credit notes are negative.';

create view report.machine_days as
select known.site, machine.machine, day, wh * 0.001 as kwh, hours_expected, hours_measured, hours_estimated, quality,
    revision, collected_at, flags
from albacore.known_day known join albacore.machine using (machine_id);
comment on view report.machine_days is 'Energy of each machine and site-local day, by the newest accepted revision of the day.';

create view report.machine_hours as
select machine.site, machine.machine,
    (day::timestamp at time zone site.timezone) + (hour.number - 1) * interval '1 hour' as hour_start,
    case when hour.quality <> 'x' then (hour.wh + coalesce(hourly_estimate[hour.number], 0)) * 0.001 end as kwh,
    case hour.quality when 'm' then 'measured' when 'i' then 'interpolated' when 'e' then 'estimated' else 'missing' end as quality
from albacore.known_day known
join albacore.machine using (machine_id)
join albacore.site on site.site = machine.site
cross join lateral unnest(hourly_wh, regexp_split_to_array(hourly_quality, '')) with ordinality as hour (wh, quality, number);
comment on view report.machine_hours is 'Energy of each machine and hour; hour_start is an instant.';

create view report.gaps as
select machine.site, machine.machine, known.day,
    hours_expected - hours_measured - hours_estimated as hours_missing,
    assignment.customer,
    case when accepted_gap.machine_id is not null then 'accepted' else 'open' end as state,
    coalesce(accepted_gap.reason, '') as reason
from albacore.known_day known
join albacore.machine using (machine_id)
left join albacore.accepted_gap using (machine_id, day)
left join albacore.current_assignment assignment on assignment.machine_id = machine.machine_id
    and known.day between assignment.from_day and assignment.to_day
where hours_measured + hours_estimated < hours_expected;
comment on view report.gaps is 'Hours that are neither measured nor estimated.';

create view report.assignments as
select machine.site, machine.machine, customer, from_day, nullif(to_day, 'infinity') as to_day, state
from albacore.current_assignment join albacore.machine using (machine_id);
comment on view report.assignments is 'Who rents which machine when; days inclusive, an empty to_day is open.';

create view report.tariffs as
select tariff, customer, site, from_day, nullif(to_day, 'infinity') as to_day, kind, currency, unit_price, multiplier,
    fee_per_machine_day, minimum_per_month, index
from albacore.current_tariff;
comment on view report.tariffs is 'The tariffs in force; an empty customer or site means every one, the most specific wins.';

create view report.tariff_bands as
select tariff, from_kwh, weekdays, from_hour, to_hour, unit_price from albacore.current_tariff_band;
comment on view report.tariff_bands is 'Where a tariff costs something else: above a number of kWh, or in some hours of the week at the site.';

create view report.prices as
select index, hour_start, currency, price_per_kwh from albacore.current_price;
comment on view report.prices is 'The hourly price series in force.';

create view report.billing_records as
select to_char(current.month, 'YYYY-MM') as month, current.revision, current.customer, billing_record.site, machine.machine,
    from_day, to_day, price_kind, quantity, unit, unit_price, billing_record.currency, amount, wh * 0.001 as kwh,
    measured_wh * 0.001 as measured_kwh, estimated_wh * 0.001 as estimated_kwh, brought.number,
    case when brought.number is not null then billing_record.line end as line, tariff, band, multiplier
from albacore.current_customer_month current
join albacore.billing_record using (customer_month_id)
left join albacore.machine using (machine_id)
left join lateral (
    select document.number from albacore.document_line line join albacore.document using (document_id)
    where line.customer_month_id = current.customer_month_id limit 1
) brought on true;
comment on view report.billing_records is 'The current revision of each customer-month, whole; days inclusive.';

create view report.customer_months as
select to_char(month, 'YYYY-MM') as month, customer, state, revision, reason, waits
from albacore.newest_customer_month;
comment on view report.customer_months is 'Where each customer''s month stands: its newest revision.';

create view report.unbilled as
with balance as (  -- grouped by machine and day, so that a question about some days looks at those only
    select machine_id, day, sum(wh) as wh, bool_or(billed) as billed
    from (
        select machine_id, day, wh, false as billed from albacore.known_day where wh is not null
        union all
        select machine_id, day, -wh, true from albacore.billed_day
        union all  -- assigned, but its site does not know it
        select machine_id, accepted.day, null, false
        from albacore.current_assignment assignment
        join albacore.machine using (machine_id)
        join albacore.accepted_collection accepted on accepted.site = machine.site
            and accepted.day between from_day and to_day
        where state = 'billable' and not exists (
            select from albacore.machine_day known where known.collection_id = accepted.collection_id
                and known.day = accepted.day and known.machine_id = assignment.machine_id
        )
    ) entry
    group by machine_id, day
    having sum(wh) <> 0 or not bool_or(billed)
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
left join albacore.current_assignment assignment on assignment.machine_id = balance.machine_id
    and balance.day between assignment.from_day and assignment.to_day
left join albacore.newest_customer_month newest on newest.customer = assignment.customer
    and newest.month = date_trunc('month', balance.day)::date;
comment on view report.unbilled is 'Every kWh that is measured or estimated and stands in no billing record, with the reason.';

create view report.invoices as
select to_char(month, 'YYYY-MM') as month, customer, number, kind, revision, currency, subtotal, tax, total, state, amount_due,
    as_of, issued_on, due_on, xero_id, payment_link,
    (select sent_at from albacore.sent_document sent where sent.number = document.number) as sent_at
from albacore.document;
comment on view report.invoices is 'Every document; credit notes are negative.';

create view report.invoice_lines as
select number, line, description, quantity, unit, unit_price, document_line.amount, document_line.tax,
    to_char(customer_month.month, 'YYYY-MM') as month
from albacore.document_line join albacore.document using (document_id)
join albacore.customer_month on customer_month.customer_month_id = document_line.customer_month_id;
comment on view report.invoice_lines is 'The lines of every document; those of credit notes are negative.';

create view report.payments as
select number, customer, paid_on, amount, payment_event.kind, payment_event.xero_id
from albacore.payment_event join albacore.document using (document_id);
comment on view report.payments is 'What was paid or credited on each document, as Xero reports it.';

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
select customer, number, stage, decided_at, first_sent_at as sent_at, delivered_at, owner, due_by, step.outcome
from albacore.escalation_step step
join albacore.escalation_case using (case_id)
join albacore.step_delivery using (step_id);
comment on view report.escalation is 'Each step of each case: who owns it, until when, and whether its notices arrived.';

create view report.holds as
select customer, number, kind, reason, owner, from_at, coalesce(released_at, until_at) as until_at from albacore.hold;
comment on view report.holds is 'What keeps a customer or a document out of escalation; until_at is when it was released or will expire.';

create view report.machine_commands as
select machine.site, machine.machine, customer, action, reason, requested_at, sent_at, verified_at, outcome
from albacore.machine_command join albacore.machine using (machine_id);
comment on view report.machine_commands is 'Every pause and resume of a machine.';

create view report.reconciliation as
select number, field, ours, xeros, seen_at from albacore.reconciliation where settled_at is null;
comment on view report.reconciliation is 'Where Xero and we differ; empty is good.';

create view report.audit as
select seq, at, actor, action, subject, details, hash from albacore.audit_event;
comment on view report.audit is 'Who did what; each hash covers all events before it.';
