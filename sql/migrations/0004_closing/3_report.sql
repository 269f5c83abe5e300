-- The report views, with estimates by rule, what waits, and machines that their site does not know.

create or replace view report.machine_days as
select known.site, machine.machine, day, wh * 0.001 as kwh, hours_expected, hours_measured, hours_estimated, quality,
    revision, collected_at, flags
from albacore.known_day known join albacore.machine using (machine_id);

create or replace view report.machine_hours as
select machine.site, machine.machine,
    (day::timestamp at time zone site.timezone) + (hour.number - 1) * interval '1 hour' as hour_start,
    case when hour.quality <> 'x' then (hour.wh + coalesce(hourly_estimate[hour.number], 0)) * 0.001 end as kwh,
    case hour.quality when 'm' then 'measured' when 'i' then 'interpolated' when 'e' then 'estimated' else 'missing' end as quality
from albacore.known_day known
join albacore.machine using (machine_id)
join albacore.site on site.site = machine.site
cross join lateral unnest(hourly_wh, regexp_split_to_array(hourly_quality, '')) with ordinality as hour (wh, quality, number);

create or replace view report.gaps as
select machine.site, machine.machine, known.day,
    hours_expected - hours_measured - hours_estimated as hours_missing,
    assignment.customer,
    case when accepted_gap.machine_id is not null then 'accepted' else 'open' end as state,
    coalesce(accepted_gap.reason, '') as reason
from albacore.known_day known
join albacore.machine using (machine_id)
left join albacore.accepted_gap using (machine_id, day)
left join albacore.assignment on assignment.machine_id = machine.machine_id and assignment.until_version is null
    and known.day between assignment.from_day and assignment.to_day
where hours_measured + hours_estimated < hours_expected;

create or replace view report.unbilled as
with balance as (  -- grouped by machine and day, so that a question about some days looks at those only
    select machine_id, day, sum(wh) as wh, bool_or(billed) as billed
    from (
        select machine_id, day, wh, false as billed from albacore.known_day where wh is not null
        union all
        select machine_id, day, -wh, true from albacore.billed_day
        union all  -- assigned, but its site does not know it
        select machine_id, accepted.day, null, false
        from albacore.assignment
        join albacore.machine using (machine_id)
        join albacore.accepted_collection accepted on accepted.site = machine.site
            and accepted.day between from_day and to_day
        where until_version is null and state = 'billable' and not exists (
            select from albacore.machine_day known where known.collection_id = accepted.collection_id
                and known.day = accepted.day and known.machine_id = assignment.machine_id
        )
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
comment on column report.unbilled.kwh is 'For a pending correction the difference to what is billed, which may be negative; empty where a machine is assigned and its site does not know it.';

create or replace view report.billing_records as
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
comment on column report.billing_records.unit_price is 'Of an indexed price the average that quantity and amount come to.';
comment on column report.billing_records.number is 'The document that brought this revision; empty until there is one. Of a carried correction the next invoice.';

create or replace view report.customer_months as
select distinct on (customer, month) to_char(month, 'YYYY-MM') as month, customer, state, revision, reason, waits
from albacore.customer_month
order by customer, month, revision desc;
comment on column report.customer_months.waits is 'Of a ready month: review (out of line with the months before, released by release_document), carry (a small correction that the next invoice will bring).';

create or replace view report.invoice_lines as
select number, line, description, quantity, unit, unit_price, document_line.amount, document_line.tax,
    to_char(customer_month.month, 'YYYY-MM') as month
from albacore.document_line join albacore.document using (document_id)
join albacore.customer_month on customer_month.customer_month_id = document_line.customer_month_id;
comment on column report.invoice_lines.month is 'The month that the line bills; an earlier one where a correction was carried.';
