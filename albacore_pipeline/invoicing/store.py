"""Documents in the database: numbered, written once, frozen with their records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import sqlalchemy as sa

from albacore_pipeline.effects import audit, keys
from albacore_pipeline.effects.outbox import fingerprint, prepare
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.documents import Billing, Draft, Group, Line, draft, payload
from albacore_pipeline.invoicing.queries import NewLine, ReadyMonth
from albacore_pipeline.invoicing.statement.machine_days import statement_of
from albacore_pipeline.periods import Month

DOCUMENT = "xero.document"


class Archive(Protocol):
    """Where statements are kept."""

    def put(self, content: bytes) -> str:
        """Keep content and return its sha256."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A document that was written just now; amounts are signed."""

    number: str
    kind: str
    customer: str
    month: Month
    currency: str
    total: Decimal


def prepare_documents(
    connection: sa.Connection, *, month: Month | None, archive: Archive, sales_account: str, now: datetime
) -> list[Prepared]:
    """Write a document, and the intent to send it, for each customer-month that is ready.

    In the caller's transaction, which holds the numbers until it ends: no number is left out and none is used twice.
    A correction below the customer's threshold waits for the next invoice, as long as one will come.
    """
    ready = queries.ready(connection, month=month.first_day if month else None, today=now.date())
    ids = [row.customer_month_id for row in ready] + [row.before_id for row in ready if row.before_id]
    groups = _groups(connection, ids=ids)
    waiting = [_Waiting(row=row, change=_change(row, groups)) for row in ready]
    drafts = list(_drafts(connection, waiting, now=now))
    numbers = _numbers(connection, entities=[item.row.entity for item, _, _ in drafts], year=now.year)
    writer = _Writer(connection=connection, archive=archive, sales_account=sales_account, now=now)
    prepared = [
        writer.write(item.row, document, number, [item, *carried])
        for (item, document, carried), number in zip(drafts, numbers, strict=True)
    ]
    writer.close()
    if prepared:
        details = {"documents": [[document.number, document.currency, str(document.total)] for document in prepared]}
        audit.record(
            connection, now=now, action="prepare_documents", subject=str(month or "all months"), details=details
        )
    return prepared


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    """A customer-month that waits for a document, and what it changes."""

    row: ReadyMonth
    change: Billing


def _change(row: ReadyMonth, groups: Mapping[int, list[Group]]) -> Billing:
    return Billing(
        customer_month_id=row.customer_month_id,
        month=Month.of(row.month),
        groups=groups[row.customer_month_id],
        before=groups[row.before_id] if row.before_id else (),
        corrects=row.corrects,
    )


def _drafts(
    connection: sa.Connection, waiting: Sequence[_Waiting], *, now: datetime
) -> Iterator[tuple[_Waiting, Draft, list[_Waiting]]]:
    """The documents to be written, each with the corrections that it carries.

    Invoices come first: they bring the small corrections along, and what is left of those waits for the next one.
    """
    carried: set[int] = set()
    for item in sorted(waiting, key=lambda item: (bool(item.change.corrects), item.change.month, item.row.customer)):
        if item.row.customer_month_id in carried:
            continue
        currency, tax_type = item.row.currency, item.row.tax_type
        document = draft(change=item.change, currency=currency, tax_type=tax_type)
        along = [] if item.change.corrects else _along(item, waiting, carried)
        others = [other.change for other in along]
        larger = draft(change=item.change, currency=currency, tax_type=tax_type, carried=others) if along else None
        if larger is not None:
            carried |= {other.row.customer_month_id for other in along}
            yield item, larger, along
        elif document is None:
            queries.freeze(connection, ids=[item.row.customer_month_id], documented=False, now=now)
        elif item.change.corrects and item.row.carry_below and abs(document.subtotal) < item.row.carry_below:
            if item.row.waits is None:
                amount = f"{document.subtotal} {document.currency}"
                queries.carry(connection, customer_month_id=item.row.customer_month_id, amount=amount)
        else:
            yield item, document, []


def _along(item: _Waiting, waiting: Sequence[_Waiting], carried: set[int]) -> list[_Waiting]:
    """The corrections that wait for this customer's next invoice."""
    return [
        other
        for other in waiting
        if other.row.waits == "carry"
        and other.row.customer == item.row.customer
        and other.row.customer_month_id not in carried
    ]


def _groups(connection: sa.Connection, *, ids: Sequence[int]) -> defaultdict[int, list[Group]]:
    groups: defaultdict[int, list[Group]] = defaultdict(list)
    for row in queries.groups(connection, ids=ids):
        groups[row.customer_month_id].append(
            Group(
                site=row.site,
                price_kind=row.price_kind,
                tariff=row.tariff,
                band=row.band,
                unit=row.unit,
                price=row.price,
                multiplier=row.multiplier,
                quantity=row.quantity,
                amount=row.amount,
                wh=row.wh,
            )
        )
    return groups


def _numbers(connection: sa.Connection, *, entities: Sequence[str], year: int) -> list[str]:
    """The next numbers, in the order of `entities`; locks in one order, so that two writers can't block each other."""
    taken: dict[str, list[str]] = {}
    for entity in sorted(set(entities)):
        count = entities.count(entity)
        last = queries.reserve_numbers(connection, entity=entity, year=year, count=count)
        taken[entity] = [f"{entity}-{year}-{number:06d}" for number in range(last - count + 1, last + 1)]
    return [taken[entity].pop(0) for entity in entities]


@dataclass(kw_only=True)
class _Writer:
    """Writes documents one by one, and what hangs on all of them at the end, in one statement each."""

    connection: sa.Connection
    archive: Archive
    sales_account: str
    now: datetime
    lines: list[tuple[int, Line]] = field(default_factory=list)
    frozen: list[int] = field(default_factory=list)

    def write(self, row: ReadyMonth, document: Draft, number: str, billed: Sequence[_Waiting]) -> Prepared:
        """Write a document and the intent to send it. `billed` are the revisions whose lines it holds."""
        month, issued_on = Month.of(row.month), self.now.date()
        due_on: date = issued_on + timedelta(days=row.payment_terms_days)
        content = payload(
            draft=document,
            number=number,
            reference=f"{month} {row.customer} r{row.revision}",
            customer=row.customer,
            issued_on=issued_on.isoformat(),
            due_on=due_on.isoformat(),
            sales_account=self.sales_account,
        )
        statement = self.archive.put(statement_of(self.connection, customer_month_id=row.customer_month_id))
        document_id = queries.insert_document(
            self.connection,
            number=number,
            entity=row.entity,
            kind=document.kind,
            customer=row.customer,
            customer_month_id=row.customer_month_id,
            month=row.month,
            revision=row.revision,
            currency=document.currency,
            subtotal=document.subtotal,
            tax=document.tax,
            total=document.total,
            issued_on=issued_on,
            due_on=due_on,
            payload=json.dumps(content),
            payload_sha256=fingerprint(content),
            statement=statement,
        )
        self.lines += [(document_id, line) for line in document.lines]
        self.frozen += [item.row.customer_month_id for item in billed]
        intent = {"number": number, "month": str(month), "payload_sha256": fingerprint(content)}
        prepare(self.connection, kind=DOCUMENT, business_key=keys.document(number), payload=intent, now=self.now)
        return Prepared(
            number=number,
            kind=document.kind,
            customer=row.customer,
            month=month,
            currency=document.currency,
            total=document.total,
        )

    def close(self) -> None:
        """Write the lines, note on each record the line that it stands on, and close the revisions."""
        if not self.lines:
            return
        queries.insert_lines(self.connection, lines=[_new_line(document_id, line) for document_id, line in self.lines])
        lines = [line for _, line in self.lines]
        queries.link_records(
            self.connection,
            customer_month_id=[line.customer_month_id for line in lines],
            line=[line.line for line in lines],
            site=[line.key.site for line in lines],
            price_kind=[line.key.price_kind for line in lines],
            tariff=[line.key.tariff for line in lines],
            band=[line.key.band for line in lines],
            price=[line.key.price for line in lines],
            multiplier=[line.key.multiplier for line in lines],
        )
        queries.freeze(self.connection, ids=self.frozen, documented=True, now=self.now)


def _new_line(document_id: int, line: Line) -> NewLine:
    return NewLine(
        document_id=document_id,
        line=line.line,
        customer_month_id=line.customer_month_id,
        site=line.site,
        price_kind=line.price_kind,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        amount=line.amount,
        tax_type=line.tax_type,
        tax=line.tax,
    )
