-- Payments that were there and are not any more.
select xero_id, amount from albacore.payment_event payment
where document_id = :document_id and kind in ('payment', 'credit') and xero_id <> all(:present)
    and not exists (
        select from albacore.payment_event reversal
        where reversal.document_id = payment.document_id and reversal.xero_id = payment.xero_id and reversal.kind = 'reversal'
    )
