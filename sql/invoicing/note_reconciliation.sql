-- That everything was compared, and how it came out.
insert into albacore.reconciliation_run (reconciled_at, documents, differences) values (:now, :documents, :differences)
