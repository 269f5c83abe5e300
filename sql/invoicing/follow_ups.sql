-- What each document needs next and has no intent for yet. The statement bears the payment link, so what carries the
-- statement waits for the link.
select kind, business_key, number, month
from (
    select 'xero.approve' as kind, 'approve:' || number as business_key, number, month from albacore.document where state = 'drafted'
    union all
    select 'xero.attachment', 'attachment:' || number, number, month
    from albacore.document where state in ('issued', 'paid') and kind <> 'credit_note' and payment_link is not null
    union all
    select 'xero.allocation', 'allocation:' || number, number, month
    from albacore.document where state = 'issued' and kind = 'credit_note'
    union all
    select 'mail', 'mail:document:' || number, number, month
    from albacore.document where state in ('issued', 'paid') and (kind = 'credit_note' or payment_link is not null)
    union all
    select 'xero.sent', 'sent:' || number, number, month
    from albacore.document join albacore.effect mail on mail.business_key = 'mail:document:' || number
    where mail.state = 'done' and document.kind <> 'credit_note'
) wanted
where not exists (select from albacore.effect where effect.business_key = wanted.business_key)
order by number
