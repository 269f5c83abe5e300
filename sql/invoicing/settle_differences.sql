-- Differences of documents that were compared, as far as they are no more.
update albacore.reconciliation set settled_at = :now
where settled_at is null and number = any(:compared) and not exists (
    select from unnest(cast(:numbers as text[]), cast(:fields as text[]), cast(:xeros as text[])) as seen (number, field, xeros)
    where seen.number = reconciliation.number and seen.field = reconciliation.field and seen.xeros = reconciliation.xeros
)
