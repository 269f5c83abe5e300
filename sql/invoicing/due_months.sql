-- Months with something to write or to send: a customer-month without its document, an effect or a link that is due.
select month from albacore.customer_month
where state = 'ready' and frozen_at is null
    and (waits is null or (waits = 'carry' and not albacore.expects_invoice(customer, cast(:now as timestamptz)::date)))
union
select document.month
from albacore.document
where :live and (:live_from = '' or to_char(document.month, 'YYYY-MM') >= :live_from) and (
    (state in ('issued', 'paid') and kind <> 'credit_note' and payment_link is null)
    or exists (
        select from albacore.effect
        where payload ->> 'number' = document.number and effect.state in ('prepared', 'sending', 'unknown')
            and next_try_at <= :now
    )
)
union
select document.month
from albacore.document
where :live and (:live_from = '' or to_char(document.month, 'YYYY-MM') >= :live_from)
    and document.number = any(:numbers)
order by month
