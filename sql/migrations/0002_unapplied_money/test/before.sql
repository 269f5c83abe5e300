-- A document that finance moved in Xero, and one that agreed again.
insert into albacore.reconciliation (number, field, ours, xeros, seen_at, settled_at) values
    ('ALB-2025-000001', 'due date', '2025-11-15', '2026-02-01', '2025-11-20', null),
    ('ALB-2025-000001', 'total', '3.00', '4.00', '2025-11-18', '2025-11-19'),
    ('ALB-2025-000001', 'readable', 'yes', 'no', '2025-11-20', null);
insert into albacore.xero_contact (customer, contact_id, details_sha256) values
    ('acme', 'c1', 'x'), ('bolt', 'c2', 'x'), ('bolt2', 'c2', 'x');
