-- Keeps a customer or a document out of escalation.
insert into albacore.hold (customer, number, kind, reason, owner, from_at, until_at)
values (:customer, :number, :kind, :reason, :owner, :now, :until_at)
returning hold_id
