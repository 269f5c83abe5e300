-- What follows for each customer's month. `action`: `open` a first or further revision, `rewrite` one that has no
-- document yet, `withdraw` one that is no longer needed, `keep`.
create temp table rating_result on commit drop as
with content as (
    select customer, currency, encode(sha256(convert_to(string_agg(
        albacore.record_text(
        site, machine_id, from_day, to_day, price_kind, tariff, quantity, unit_price, multiplier, wh, estimated_wh, band, amount),
        E'\n' order by price_kind, site, machine_id, from_day, band), 'UTF8')), 'hex') as sha256
    from rated_record group by customer, currency
),
newest as (
    select * from albacore.newest_customer_month where month = :first_day
),
frozen as (
    select distinct on (customer) customer, content_sha256 from albacore.customer_month
    where month = :first_day and frozen_at is not null order by customer, revision desc
),
involved as (
    select customer from span union select customer from newest
),
wanted as (  -- a customer whose machines all went to others still has a month, with nothing in it
    select customer, blocked_customer.reason as blocked, coalesce(content.sha256, 'empty') as sha256, content.currency
    from involved left join blocked_customer using (customer) left join content using (customer)
)
select wanted.customer, wanted.blocked, wanted.sha256, coalesce(wanted.currency, newest.currency) as currency,
    newest.customer_month_id,
    case when newest.frozen_at is null then coalesce(newest.revision, 1) else newest.revision + 1 end as revision,
    case
        when newest.customer_month_id is null then 'open'
        when newest.frozen_at is null and wanted.blocked is null
            and coalesce(frozen.content_sha256, 'empty') = wanted.sha256 then 'withdraw'
        when newest.frozen_at is null and wanted.blocked is not null
            and newest.state = 'blocked' and newest.reason = wanted.blocked then 'keep'
        when newest.frozen_at is null and wanted.blocked is null
            and newest.state = 'ready' and newest.content_sha256 = wanted.sha256 then 'keep'
        when newest.frozen_at is null then 'rewrite'
        when wanted.blocked is null and newest.content_sha256 = wanted.sha256 then 'keep'
        else 'open'
    end as action
from wanted left join newest using (customer) left join frozen using (customer)
