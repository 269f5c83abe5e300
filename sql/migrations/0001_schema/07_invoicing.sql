-- Documents, what Xero says of them, and payments. Amounts of credit notes are negative here.

create table albacore.document_number (
    entity text not null,
    year integer not null,
    last integer not null,
    primary key (entity, year)
);
comment on table albacore.document_number is 'Gapless numbers per entity and year: the row is locked by the transaction that writes the document.';

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
comment on table albacore.document is 'Invoices, credit notes and supplements. What one says never changes, only what became of it.';
create index document_customer on albacore.document (customer);

create table albacore.document_line (
    document_id bigint not null references albacore.document,
    line integer not null,
    customer_month_id bigint not null references albacore.customer_month,  -- whose revision it brings: the document's own, or a correction carried here
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
comment on table albacore.document_line is 'The lines of every document.';
create index document_line_customer_month on albacore.document_line (customer_month_id);

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
comment on function albacore.refuse_document_change is 'Trigger: what a document says stays as it was written.';
create trigger document_frozen before update or delete on albacore.document
    for each row execute function albacore.refuse_document_change();
create trigger document_no_truncate before truncate on albacore.document
    for each statement execute function albacore.append_only();
create trigger document_line_frozen before update or delete on albacore.document_line
    for each row execute function albacore.append_only();
create trigger document_line_no_truncate before truncate on albacore.document_line
    for each statement execute function albacore.append_only();

create view albacore.sent_document as
select number, (answer ->> 'accepted_at')::timestamptz as sent_at
from albacore.effect
where kind = 'mail' and state = 'done' and number is not null;
comment on view albacore.sent_document is 'Documents whose mail the relay has accepted, and when.';

create view albacore.document_without_link as
select number, month, xero_id
from albacore.document
where state in ('issued', 'paid') and kind <> 'credit_note' and payment_link is null;
comment on view albacore.document_without_link is 'Issued documents to be paid, whose payment link is not known yet.';

create view albacore.unpaid_document as
select document_id, number, customer, customer_month_id, month, currency, due_on, xero_id, payment_link, amount_due, as_of
from albacore.document
where state = 'issued' and kind <> 'credit_note' and amount_due > 0;
comment on view albacore.unpaid_document is 'What customers owe: documents that are issued, and open by Xero''s last word.';

create function albacore.expects_invoice(a_customer text, today date) returns boolean language sql stable parallel safe as $$
    select exists (
        select from albacore.current_assignment
        where customer = a_customer and state = 'billable' and to_day >= date_trunc('month', today)
    ) or exists (
        select from albacore.customer_month
        where customer = a_customer and revision = 1 and frozen_at is null and state in ('ready', 'blocked')
    )
$$;
comment on function albacore.expects_invoice is 'Whether a customer will get another invoice: a machine in the running month or later, or a month not yet invoiced.';

create table albacore.xero_contact (
    customer text primary key,
    contact_id text not null,
    details_sha256 text not null
);
comment on table albacore.xero_contact is 'Xero''s id of a customer, and what it was last told of him.';

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
comment on table albacore.payment_event is 'A payment, credit or reversal that Xero reports for a document. A reversal is a row of its own with the sign turned.';

create table albacore.reconciliation (
    number text not null,
    field text not null,
    ours text not null,
    xeros text not null,
    seen_at timestamptz not null,
    settled_at timestamptz,
    primary key (number, field, seen_at)
);
comment on table albacore.reconciliation is 'Differences between Xero and us, each once while it lasts.';

create table albacore.reconciliation_run (
    reconciled_at timestamptz primary key,
    documents integer not null,
    differences integer not null
);
comment on table albacore.reconciliation_run is 'When everything was compared with Xero, and how it came out.';
