-- The raw answers that may not be deleted yet, of the collections that
-- - were read after the instant, or
-- - stand behind a document issued since, or
-- - count, or may come to count, and stand behind no document: they may still be billed.
with invoiced as (
    select collection_id, max(issued_on) as issued_on
    from albacore.document
    join albacore.customer_month using (customer_month_id)
    join albacore.billing_run_collection using (billing_run_id)
    group by collection_id
)
select distinct sha256
from albacore.collection
left join invoiced using (collection_id)
cross join lateral jsonb_array_elements_text(raw) as sha256
where last_read_at >= :since
    or issued_on >= cast(:since as timestamptz)::date
    or (issued_on is null and (
        state = 'waiting' or collection_id in (select collection_id from albacore.accepted_collection)))
