-- The revisions that a document brings and that change what was billed: its own, and those carried to it. With the
-- revision that was billed before, and the number that brought the first one.
select month.customer_month_id, before.customer_month_id as before_id, month.month, first_document.number as corrects
from albacore.customer_month month
join lateral (
    select customer_month_id from albacore.customer_month earlier
    where earlier.customer = month.customer and earlier.month = month.month and earlier.revision < month.revision
        and earlier.frozen_at is not null
    order by revision desc limit 1
) before on true
left join lateral (
    select document.number
    from albacore.customer_month earlier
    join albacore.document_line using (customer_month_id)
    join albacore.document using (document_id)
    where earlier.customer = month.customer and earlier.month = month.month and earlier.revision < month.revision
    order by document.issued_on, document.number limit 1
) first_document on true
where month.customer_month_id in (
    select document_line.customer_month_id from albacore.document_line join albacore.document using (document_id)
    where number = :number
)
order by month.month
