-- A payment or credit that Xero reports, once.
insert into albacore.payment_event (document_id, xero_id, kind, paid_on, amount, seen_at)
values (:document_id, :xero_id, :kind, :paid_on, :amount, :now)
on conflict do nothing
