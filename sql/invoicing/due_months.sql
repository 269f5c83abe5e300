-- Months with something to write or to send: a customer-month without its document, an effect or a link that is due.
select month from albacore.customer_month
where state = 'ready' and frozen_at is null
    and (waits is null or (waits = 'carry' and not albacore.expects_invoice(customer, cast(:now as timestamptz)::date)))
union
select month
from albacore.document
where :live and albacore.may_leave(to_char(month, 'YYYY-MM'), :live_from) and (
    number = any(:numbers)
    or number in (select number from albacore.document_without_link)
    or exists (
        select from albacore.effect
        where effect.number = document.number and albacore.is_due(effect.state, next_try_at, :now)
    )
)
order by month
