"""The queries of `sql/invoicing/`, typed; a statement has doors of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import Json, execute, execute_many, row, rows

# Writing documents


@dataclass(frozen=True, kw_only=True)
class ReadyMonth:
    """A customer-month that waits for a document, with the revision before that has one, and the customer's terms."""

    customer_month_id: int
    month: date
    customer: str
    revision: int
    waits: str | None
    before_id: int | None
    corrects: str
    currency: str
    entity: str
    payment_terms_days: int
    tax_type: str
    carry_below: Decimal | None


@dataclass(frozen=True, kw_only=True)
class RecordGroup:
    """The records of a customer-month that share a line, summed exactly."""

    customer_month_id: int
    site: str
    price_kind: str
    tariff: str
    band: str
    unit: str
    price: Decimal | None
    multiplier: Decimal
    quantity: Decimal
    amount: Decimal
    wh: int


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """A line to be written."""

    document_id: int
    line: int
    customer_month_id: int
    site: str
    price_kind: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    tax_type: str
    tax: Decimal


def ready(connection: sa.Connection, *, month: date | None, today: date) -> list[ReadyMonth]:
    """Customer-months that wait for a document, of one month or of all; they stay locked."""
    return rows(connection, "invoicing/ready", ReadyMonth, month=month, today=today)


def groups(connection: sa.Connection, *, ids: Sequence[int]) -> list[RecordGroup]:
    """The records of customer-months, summed by what shares a line."""
    return rows(connection, "invoicing/groups", RecordGroup, ids=ids)


def reserve_numbers(connection: sa.Connection, *, entity: str, year: int, count: int) -> int:
    """Take so many numbers of an entity's year; the last of them. The counter stays locked."""
    return row(connection, "invoicing/reserve_numbers", int, entity=entity, year=year, count=count)


def insert_document(
    connection: sa.Connection,
    *,
    number: str,
    entity: str,
    kind: str,
    customer: str,
    customer_month_id: int,
    month: date,
    revision: int,
    currency: str,
    subtotal: Decimal,
    tax: Decimal,
    total: Decimal,
    issued_on: date,
    due_on: date,
    payload: str,
    payload_sha256: str,
    statement: str,
) -> int:
    """Write a document; its id. `payload` is JSON, `statement` the sha256 of the machine-days in the archive."""
    return row(
        connection, "invoicing/insert_document", int,
        number=number, entity=entity, kind=kind, customer=customer, customer_month_id=customer_month_id, month=month,
        revision=revision, currency=currency, subtotal=subtotal, tax=tax, total=total, issued_on=issued_on,
        due_on=due_on, payload=payload, payload_sha256=payload_sha256, statement=statement,
    )  # fmt: skip


def insert_lines(connection: sa.Connection, *, lines: Sequence[NewLine]) -> None:
    """Write lines of documents."""
    execute_many(connection, "invoicing/insert_lines", [asdict(line) for line in lines])


def link_records(
    connection: sa.Connection,
    *,
    customer_month_id: Sequence[int],
    line: Sequence[int],
    site: Sequence[str],
    price_kind: Sequence[str],
    tariff: Sequence[str],
    band: Sequence[str],
    price: Sequence[Decimal | None],
    multiplier: Sequence[Decimal],
) -> int:
    """Note on each record the line that it stands on; the lines come as columns."""
    return execute(
        connection, "invoicing/link_records",
        customer_month_id=customer_month_id, line=line, site=site, price_kind=price_kind, tariff=tariff, band=band,
        price=price, multiplier=multiplier,
    )  # fmt: skip


def freeze(connection: sa.Connection, *, ids: Sequence[int], documented: bool, now: datetime) -> int:
    """Close revisions: with a document their state follows the document's, without one there was nothing to bill."""
    return execute(connection, "invoicing/freeze", ids=ids, documented=documented, now=now)


def carry(connection: sa.Connection, *, customer_month_id: int, amount: str) -> int:
    """Let a small correction wait for the customer's next invoice."""
    return execute(connection, "invoicing/carry", customer_month_id=customer_month_id, amount=amount)


def release_month(connection: sa.Connection, *, customer: str, month: date, actor: str) -> int:
    """Let a month that is out of line become a document; 0 where it was not held."""
    return execute(connection, "invoicing/release_month", customer=customer, month=month, actor=actor)


# Sending documents


@dataclass(frozen=True, kw_only=True)
class WantedContact:
    """A customer of a document that is on its way, as last known, and the hash of what Xero was told of him."""

    customer: str
    legal_name: str
    email: str
    address: str
    vat_number: str | None
    country: str
    details_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """What a document needs next: a kind of effect."""

    kind: str
    number: str
    month: date


@dataclass(frozen=True, kw_only=True)
class MailFacts:
    """What the mail of a document needs."""

    number: str
    kind: str
    month: date
    total: Decimal
    currency: str
    due_on: date
    payment_link: str | None
    statement: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class SentDocument:
    """A document with what Xero is told; `allocate_to` is the Xero id of the invoice that a credit is set against."""

    number: str
    kind: str
    payload: Json
    xero_id: str | None
    contact_id: str | None
    allocate_to: str | None


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """An issued invoice whose payment link is not known yet."""

    number: str
    xero_id: str


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A document for the run's table."""

    number: str
    kind: str
    customer: str
    currency: str
    total: Decimal
    state: str
    payment_link: str | None
    xero_id: str | None


def due_months(
    connection: sa.Connection, *, now: datetime, live: bool, live_from: str, numbers: Sequence[str]
) -> list[date]:
    """The first days of months with something to write or to send; `numbers` have something to follow."""
    return rows(connection, "invoicing/due_months", date, now=now, live=live, live_from=live_from, numbers=numbers)


def contacts_wanted(connection: sa.Connection, *, live_from: str) -> list[WantedContact]:
    """Customers of documents that are on their way."""
    return rows(connection, "invoicing/contacts_wanted", WantedContact, live_from=live_from)


def keep_contact(connection: sa.Connection, *, customer: str, contact_id: str, sha256: str) -> int:
    """Keep Xero's id for a customer, and the hash of what it was told."""
    return execute(connection, "invoicing/keep_contact", customer=customer, contact_id=contact_id, sha256=sha256)


def documents_by_number(connection: sa.Connection, *, numbers: Sequence[str]) -> list[SentDocument]:
    """Documents with what Xero is told."""
    return rows(connection, "invoicing/documents_by_number", SentDocument, numbers=numbers)


def drafted(connection: sa.Connection, *, number: str, xero_id: str) -> int:
    """Note that Xero holds the document as a draft."""
    return execute(connection, "invoicing/drafted", number=number, xero_id=xero_id)


def issued(connection: sa.Connection, *, number: str, now: datetime) -> int:
    """Note that the document counts, and so the customer-months that it bills."""
    return execute(connection, "invoicing/issued", number=number, now=now)


def parked(connection: sa.Connection, *, number: str) -> int:
    """Note that the document needs a person."""
    return execute(connection, "invoicing/parked", number=number)


def release_document(connection: sa.Connection, *, number: str, now: datetime) -> int:
    """Send a parked document on its way again; 0 where it was not parked."""
    return execute(connection, "invoicing/release_document", number=number, now=now)


def follow_ups(connection: sa.Connection) -> list[FollowUp]:
    """What each document needs next and has no intent for yet, document by document."""
    return rows(connection, "invoicing/follow_ups", FollowUp)


def mail_facts(connection: sa.Connection, *, number: str) -> MailFacts:
    """What the mail of a document needs."""
    return row(connection, "invoicing/mail_facts", MailFacts, number=number)


def without_link(connection: sa.Connection) -> list[Unlinked]:
    """Issued invoices whose payment link is not known yet."""
    return rows(connection, "invoicing/without_link", Unlinked)


def set_link(connection: sa.Connection, *, number: str, link: str) -> int:
    """Keep a payment link."""
    return execute(connection, "invoicing/set_link", number=number, link=link)


def document_table(connection: sa.Connection, *, month: date) -> list[TableRow]:
    """A month's documents."""
    return rows(connection, "invoicing/document_table", TableRow, month=month)


# What Xero says of documents


@dataclass(frozen=True, kw_only=True)
class OpenDocument:
    """A document that Xero holds."""

    document_id: int
    number: str
    kind: str
    customer: str
    currency: str
    total: Decimal
    issued_on: date
    due_on: date
    xero_id: str
    state: str
    contact_id: str | None
    lines: list[Json]  # as Xero was told of them: texts


@dataclass(frozen=True, kw_only=True)
class ReversedPayment:
    """A payment that Xero reported once and does not any more."""

    xero_id: str
    amount: Decimal


def open_documents(
    connection: sa.Connection, *, all: bool = False, numbers: Sequence[str] | None = None
) -> list[OpenDocument]:
    """Documents that Xero holds and that are open or differ; with `all` the settled ones too, or just these numbers."""
    return rows(connection, "invoicing/open_documents", OpenDocument, all=all, numbers=numbers)


def note_amounts(
    connection: sa.Connection,
    *,
    document_id: int,
    due: Decimal,
    paid: Decimal,
    credited: Decimal,
    state: str,
    asked: datetime,
    now: datetime,
) -> int:
    """Note what Xero said of a document when it was asked; 0 where a later question was answered already."""
    return execute(
        connection, "invoicing/note_amounts",
        document_id=document_id, due=due, paid=paid, credited=credited, state=state, asked=asked, now=now,
    )  # fmt: skip


def note_payment(
    connection: sa.Connection,
    *,
    document_id: int,
    xero_id: str,
    kind: str,
    paid_on: date,
    amount: Decimal,
    now: datetime,
) -> int:
    """Note a payment or credit that Xero reports; 0 where it is known."""
    return execute(
        connection, "invoicing/note_payment",
        document_id=document_id, xero_id=xero_id, kind=kind, paid_on=paid_on, amount=amount, now=now,
    )  # fmt: skip


def reversed_payments(connection: sa.Connection, *, document_id: int, present: Sequence[str]) -> list[ReversedPayment]:
    """Payments of a document that were there and are not among the present ones."""
    return rows(connection, "invoicing/reversed_payments", ReversedPayment, document_id=document_id, present=present)


def note_difference(connection: sa.Connection, *, number: str, field: str, ours: str, xeros: str, now: datetime) -> int:
    """Note where Xero and we differ, once while it lasts."""
    return execute(connection, "invoicing/note_difference", number=number, field=field, ours=ours, xeros=xeros, now=now)


def settle_differences(
    connection: sa.Connection,
    *,
    compared: Sequence[str],
    numbers: Sequence[str],
    fields: Sequence[str],
    xeros: Sequence[str],
    now: datetime,
) -> int:
    """End the differences of `compared` documents that are no more; those that there are come as columns."""
    return execute(
        connection, "invoicing/settle_differences",
        compared=compared, numbers=numbers, fields=fields, xeros=xeros, now=now,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class UnappliedRow:
    """Money that is set against nothing; `customer` is None where it is nobody's that we can tell."""

    customer: str | None
    kind: str
    number: str | None
    remaining: Decimal
    currency: str


def unapplied(connection: sa.Connection) -> list[UnappliedRow]:
    """Money that is set against nothing, by Xero's last word."""
    return rows(connection, "invoicing/unapplied", UnappliedRow)


def note_unapplied_reading(connection: sa.Connection, *, tenant: str, asked: datetime, now: datetime) -> int:
    """Note that an organisation's unapplied money was read; 0 where a later question was answered already."""
    return execute(connection, "invoicing/note_unapplied_reading", tenant=tenant, asked=asked, now=now)


def forget_unapplied(connection: sa.Connection, *, tenant: str, present: Sequence[str]) -> int:
    """Take away money that an organisation in Xero does not show any more."""
    return execute(connection, "invoicing/forget_unapplied", tenant=tenant, present=present)


def note_unapplied(
    connection: sa.Connection,
    *,
    tenant: str,
    xero_ids: Sequence[str],
    kinds: Sequence[str],
    numbers: Sequence[str],
    contact_ids: Sequence[str],
    currencies: Sequence[str],
    remaining: Sequence[Decimal],
    entered_on: Sequence[date],
    asked: datetime,
) -> int:
    """Keep money that an organisation in Xero shows as set against nothing; the rows come as columns."""
    return execute(
        connection, "invoicing/note_unapplied",
        tenant=tenant, xero_ids=xero_ids, kinds=kinds, numbers=numbers, contact_ids=contact_ids, currencies=currencies,
        remaining=remaining, entered_on=entered_on, asked=asked,
    )  # fmt: skip


def note_reconciliation(connection: sa.Connection, *, documents: int, differences: int, now: datetime) -> int:
    """Note that everything was compared, and how it came out."""
    return execute(connection, "invoicing/note_reconciliation", documents=documents, differences=differences, now=now)


@dataclass(frozen=True, kw_only=True)
class DocumentMail:
    """A mail that brought a document, or tried to."""

    effect_id: int
    payload: Json


def mails_of(connection: sa.Connection, *, number: str) -> list[DocumentMail]:
    """The mails of a document, the first one first."""
    return rows(connection, "invoicing/mails_of", DocumentMail, number=number)
