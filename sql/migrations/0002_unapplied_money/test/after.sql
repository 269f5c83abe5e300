do $$ begin
    assert (select array_agg(number || ' ' || fields) from albacore.edited_document)
        = '{"ALB-2025-000001 due date: 2025-11-15 here, 2026-02-01 in Xero"}', 'an edit that was known stops nothing';
    assert (select count(*) = 2 from report.reconciliation), 'a difference is lost';
    assert (select array_agg(contact_id || ' ' || customer) = '{c1 acme}' from albacore.contact_owner),
        'a contact of two customers is told to be one''s';
    assert (select count(*) = 0 from report.unapplied), 'money from nowhere';
end $$;
