-- A difference between Xero and us, once while it lasts.
insert into albacore.reconciliation (number, field, ours, xeros, seen_at)
select :number, :field, :ours, :xeros, :now
where not exists (
    select from albacore.reconciliation
    where number = :number and field = :field and xeros = :xeros and settled_at is null
)
on conflict (number, field, seen_at) do update set ours = excluded.ours, xeros = excluded.xeros, settled_at = null
