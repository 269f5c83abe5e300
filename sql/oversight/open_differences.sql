-- What the last reconciliation with Xero saw and nothing has settled since.
select number, field, ours, xeros from albacore.reconciliation where settled_at is null order by number, field
