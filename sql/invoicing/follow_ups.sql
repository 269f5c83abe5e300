-- What each document needs next and has no intent for yet. The statement bears the payment link, so what carries the
-- statement waits for the link.
select kind, number, month
from (
    select 'xero.approve' as kind, number, month from albacore.document where state = 'drafted'
    union all
    select 'xero.attachment', number, month
    from albacore.document where state in ('issued', 'paid') and kind <> 'credit_note' and payment_link is not null
    union all
    select 'xero.allocation', number, month
    from albacore.document where state = 'issued' and kind = 'credit_note'
    union all
    select 'mail', number, month
    from albacore.document where state in ('issued', 'paid') and (kind = 'credit_note' or payment_link is not null)
    union all
    select 'xero.sent', number, month
    from albacore.document where kind <> 'credit_note' and number in (select number from albacore.sent_document)
) wanted
where not exists (select from albacore.effect where effect.kind = wanted.kind and effect.number = wanted.number)
order by number
