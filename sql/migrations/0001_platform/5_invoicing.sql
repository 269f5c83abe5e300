-- Documents, what Xero says of them, and payments. Amounts of credit notes are negative here.

-- Gapless numbers per entity and year: the row is locked by the transaction that writes the document.
create table albacore.document_number (
    entity text not null,
    year integer not null,
    last integer not null,
    primary key (entity, year)
);

create table albacore.document (
    document_id bigint generated always as identity primary key,
    number text not null unique,
    entity text not null,
    kind text not null check (kind in ('invoice', 'credit_note', 'supplement')),
    customer text not null,
    customer_month_id bigint not null unique references albacore.customer_month,
    month date not null,
    revision integer not null,
    currency text not null,
    subtotal numeric not null,
    tax numeric not null,
    total numeric not null,
    issued_on date not null,
    due_on date not null,
    payload jsonb not null,
    payload_sha256 text not null,
    statement text not null,  -- sha256 of the CSV statement in the archive
    -- what may still move
    state text not null check (state in ('prepared', 'drafted', 'issued', 'paid', 'voided', 'parked')),
    xero_id text,
    payment_link text,
    amount_due numeric,
    amount_paid numeric,
    amount_credited numeric,
    as_of timestamptz,
    check (subtotal + tax = total),
    unique (customer, month, revision)
);
create index document_customer on albacore.document (customer);

create table albacore.document_line (
    document_id bigint not null references albacore.document,
    line integer not null,
    site text,
    price_kind text not null,
    description text not null,
    quantity numeric not null,
    unit text not null,
    unit_price numeric not null,
    amount numeric not null,
    tax_type text not null,
    tax numeric not null,
    primary key (document_id, line)
);

create function albacore.refuse_document_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (old.number, old.entity, old.kind, old.customer, old.customer_month_id, old.month, old.revision, old.currency,
            old.subtotal, old.tax, old.total, old.issued_on, old.due_on, old.payload_sha256, old.payload, old.statement)
        is distinct from (new.number, new.entity, new.kind, new.customer, new.customer_month_id, new.month, new.revision, new.currency,
            new.subtotal, new.tax, new.total, new.issued_on, new.due_on, new.payload_sha256, new.payload, new.statement) then
        raise exception 'document % never changes: a correction is a document of its own', old.number;
    end if;
    return new;
end $$;
create trigger document_frozen before update or delete on albacore.document
    for each row execute function albacore.refuse_document_change();
create trigger document_no_truncate before truncate on albacore.document
    for each statement execute function albacore.append_only();
create trigger document_line_frozen before update or delete on albacore.document_line
    for each row execute function albacore.append_only();
create trigger document_line_no_truncate before truncate on albacore.document_line
    for each statement execute function albacore.append_only();

create table albacore.xero_contact (
    customer text primary key,
    contact_id text not null,
    details_sha256 text not null
);

-- A payment, credit or reversal that Xero reports for a document. A reversal is a row of its own with the sign turned.
create table albacore.payment_event (
    payment_event_id bigint generated always as identity primary key,
    document_id bigint not null references albacore.document,
    xero_id text not null,
    kind text not null check (kind in ('payment', 'credit', 'reversal')),
    paid_on date not null,
    amount numeric not null,
    seen_at timestamptz not null,
    unique (xero_id, document_id, kind)
);

create table albacore.reconciliation (
    number text not null,
    field text not null,
    ours text not null,
    xeros text not null,
    seen_at timestamptz not null,
    settled_at timestamptz,
    primary key (number, field, seen_at)
);
create table albacore.reconciliation_run (
    reconciled_at timestamptz primary key,
    documents integer not null,
    differences integer not null
);
