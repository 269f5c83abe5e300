-- Writes a document. From here on it never changes.
insert into albacore.document (number, entity, kind, customer, customer_month_id, month, revision, currency, subtotal, tax, total,
    issued_on, due_on, payload, payload_sha256, statement, state)
values (:number, :entity, :kind, :customer, :customer_month_id, :month, :revision, :currency, :subtotal, :tax, :total,
    :issued_on, :due_on, cast(:payload as jsonb), :payload_sha256, :statement, 'prepared')
returning document_id
