-- When everything was last compared with Xero.
select max(reconciled_at) from albacore.reconciliation_run
