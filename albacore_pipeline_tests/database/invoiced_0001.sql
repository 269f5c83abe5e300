-- A month with its invoice, as the first schema holds them. Never changed: later migrations are tried on it.
insert into albacore.site values ('norway', 'NO', 'Europe/Oslo', '2025-10-01', 0);
insert into albacore.machine (site, machine) values ('norway', 'NO-0001');
insert into albacore.registry_version values (1, 'x', '2025-10-01', 'a', 'r');
insert into albacore.billing_run (month, registry_version, run_id, computed_at) values ('2025-10-01', 1, 'r', '2025-11-01');
insert into albacore.customer_month (month, customer, revision, state, currency, billing_run_id, content_sha256)
values ('2025-10-01', 'acme', 1, 'ready', 'NOK', 1, 'x');
insert into albacore.billing_record (customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, quantity,
    unit, unit_price, currency, amount, wh, measured_wh, line)
values (1, 'norway', 1, '2025-10-01', '2025-10-31', 'energy', 'flat', 1.5, 'kWh', 2, 'NOK', 3, 1500, 1500, 1);
update albacore.customer_month set content_sha256 = (
    select encode(sha256(convert_to(albacore.record_text(site, machine_id, from_day, to_day, price_kind, tariff, quantity,
        unit_price, multiplier, wh, estimated_wh, band, amount), 'UTF8')), 'hex') from albacore.billing_record);
insert into albacore.document (number, entity, kind, customer, customer_month_id, month, revision, currency, subtotal, tax,
    total, issued_on, due_on, payload, payload_sha256, statement, state)
values ('ALB-2025-000001', 'ALB', 'invoice', 'acme', 1, '2025-10-01', 1, 'NOK', 3, 0, 3, '2025-11-01', '2025-11-15', '{}',
    'x', 'x', 'issued');
insert into albacore.document_line (document_id, line, customer_month_id, site, price_kind, description, quantity, unit,
    unit_price, amount, tax_type, tax)
values (1, 1, 1, 'norway', 'energy', 'Energy', 1.5, 'kWh', 2, 3, 'NONE', 0);
update albacore.customer_month set frozen_at = '2025-11-01', state = 'invoiced';
