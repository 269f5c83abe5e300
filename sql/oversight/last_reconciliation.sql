-- When everything was last compared with Xero; no row: never.
select reconciled_at from albacore.reconciliation_run order by reconciled_at desc limit 1
