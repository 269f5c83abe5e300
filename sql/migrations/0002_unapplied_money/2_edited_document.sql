-- What a person changed in Xero on a document: which differences stop its chain, said once.

create view albacore.document_edit as
select number, field, ours, xeros, seen_at, settled_at
from albacore.reconciliation
where field in ('date', 'due date', 'contact', 'currency', 'total', 'lines', 'status', 'number');
comment on view albacore.document_edit is 'What a person changed in Xero that makes a document another one; any other difference stops nothing. Settled when Xero agrees again.';

create view albacore.edited_document as
select number, string_agg(format('%s: %s here, %s in Xero', field, ours, xeros), '; ' order by field) as fields
from albacore.document_edit
where settled_at is null
group by number;
comment on view albacore.edited_document is 'Documents whose chain stops until a person says which holds, ours or Xero''s, with what differs.';

create index reconciliation_open on albacore.reconciliation (number) where settled_at is null;

comment on column report.reconciliation.field is 'What differs. Of an edit that stops the document''s chain: date, due date, contact, currency, total, lines (quantity, price, tax), status, number. Else: exists, readable.';
comment on column report.invoices.as_of is 'When Xero was asked that which it last answered.';
