-- Keeps a customer, a document or lines of it out of escalation.
insert into albacore.hold (customer, number, kind, reason, owner, from_at, until_at, lines, amount)
values (:customer, :number, :kind, :reason, :owner, :now, :until_at, cast(:lines as integer[]), cast(:amount as numeric))
returning hold_id
