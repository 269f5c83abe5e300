-- Money that customers have with us and that is set against no invoice, as Xero last showed it.

create view albacore.contact_owner as
select contact_id, min(customer) as customer
from albacore.xero_contact
group by contact_id
having count(*) = 1;
comment on view albacore.contact_owner is 'The customer of each contact in Xero; a contact of several customers is nobody''s.';

create table albacore.unapplied_credit (
    xero_id text primary key,
    tenant text not null,
    kind text not null check (kind in ('overpayment', 'prepayment', 'credit_note')),
    number text,
    customer text,
    contact_id text not null,
    entity text,
    currency text not null,
    remaining numeric not null check (remaining > 0),
    entered_on date not null,
    as_of timestamptz not null
);
comment on table albacore.unapplied_credit is 'Overpayments, prepayments and credit notes of which something is left. Customer and entity are empty where the contact is not one customer''s.';
create index unapplied_credit_customer on albacore.unapplied_credit (customer);

create table albacore.unapplied_reading (
    tenant text primary key,
    as_of timestamptz not null
);
comment on table albacore.unapplied_reading is 'When unapplied_credit was last read, for each organisation in Xero: what is not in it is not there as of then.';

create view report.unapplied as
select customer, entity, kind, number, remaining as amount, currency, as_of, customer is not null as matched, entered_on,
    xero_id, contact_id
from albacore.unapplied_credit;
comment on view report.unapplied is 'Money of customers that is set against no invoice yet, by Xero''s last word; what nobody can be told of is not matched.';
comment on column report.unapplied.customer is 'Whose it is; empty where the contact in Xero is no customer''s, or several customers'' at once.';
comment on column report.unapplied.kind is 'overpayment, prepayment, credit_note.';
comment on column report.unapplied.number is 'Its number in Xero; empty where it has none.';
comment on column report.unapplied.currency is 'ISO 4217.';
comment on column report.unapplied.as_of is 'When Xero was last asked.';
comment on column report.unapplied.matched is 'Whether it is known whose it is.';
comment on column report.unapplied.entity is 'The legal entity of ours that the customer is invoiced by; empty where it is not known whose it is.';
comment on column report.unapplied.amount is 'What is left of it; positive.';
comment on column report.unapplied.entered_on is 'Its date in Xero.';
comment on column report.unapplied.xero_id is 'Xero''s own id of it.';
comment on column report.unapplied.contact_id is 'Xero''s own id of the contact that it stands on.';
