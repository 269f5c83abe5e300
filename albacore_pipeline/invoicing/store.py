"""Documents in the database: numbered, written once, frozen with their records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa

from albacore_pipeline.database import query, sql
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.outbox import fingerprint, prepare
from albacore_pipeline.invoicing.documents import Change, Draft, Group, Line, draft, payload
from albacore_pipeline.invoicing.statement import statement_of
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
    ready = sql(connection, "invoicing/ready", month=month.first_day if month else None, today=now.date()).all()
    ids = [row.customer_month_id for row in ready] + [row.before_id for row in ready if row.before_id]
    groups = _groups(connection, ids=ids)
    wanted = [_Wanted(row=row, change=_change(row, groups)) for row in ready]
    drafts = list(_drafts(connection, wanted, now=now))
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
class _Wanted:
    """A row of `invoicing/ready` and what it changes."""

    row: Any
    change: Change


def _change(row: Any, groups: Mapping[int, list[Group]]) -> Change:
    return Change(
        customer_month_id=row.customer_month_id,
        month=Month.of(row.month),
        groups=groups[row.customer_month_id],
        before=groups[row.before_id] if row.before_id else (),
        corrects=row.corrects,
    )


def _drafts(
    connection: sa.Connection, wanted: Sequence[_Wanted], *, now: datetime
) -> Iterator[tuple[_Wanted, Draft, list[_Wanted]]]:
    """The documents to be written, each with the corrections that it carries.

    Invoices come first: they bring the small corrections along, and what is left of those waits for the next one.
    """
    carried: set[int] = set()
    for item in sorted(wanted, key=lambda item: (bool(item.change.corrects), item.change.month, item.row.customer)):
        if item.row.customer_month_id in carried:
            continue
        terms = {"change": item.change, "currency": item.row.currency, "tax_type": item.row.tax_type}
        document = draft(**terms)
        along = [] if item.change.corrects else _along(item, wanted, carried)
        larger = draft(**terms, carried=[other.change for other in along]) if along else None
        if larger is not None:
            carried |= {other.row.customer_month_id for other in along}
            yield item, larger, along
        elif document is None:
            sql(connection, "invoicing/freeze", ids=[item.row.customer_month_id], documented=False, now=now)
        elif item.change.corrects and item.row.carry_below and abs(document.subtotal) < item.row.carry_below:
            if item.row.waits is None:
                amount = f"{document.subtotal} {document.currency}"
                sql(connection, "invoicing/carry", customer_month_id=item.row.customer_month_id, amount=amount)
        else:
            yield item, document, []


def _along(item: _Wanted, wanted: Sequence[_Wanted], carried: set[int]) -> list[_Wanted]:
    """The corrections that wait for this customer's next invoice."""
    return [
        other
        for other in wanted
        if other.row.waits == "carry"
        and other.row.customer == item.row.customer
        and other.row.customer_month_id not in carried
    ]


def _groups(connection: sa.Connection, *, ids: Sequence[int]) -> defaultdict[int, list[Group]]:
    groups: defaultdict[int, list[Group]] = defaultdict(list)
    for row in sql(connection, "invoicing/groups", ids=list(ids)).mappings():
        values = dict(row)
        groups[values.pop("customer_month_id")].append(Group(**values))
    return groups


def _numbers(connection: sa.Connection, *, entities: Sequence[str], year: int) -> list[str]:
    """The next numbers, in the order of `entities`; locks in one order, so that two writers can't block each other."""
    taken: dict[str, list[str]] = {}
    for entity in sorted(set(entities)):
        count = entities.count(entity)
        last = sql(connection, "invoicing/reserve_numbers", entity=entity, year=year, count=count).scalar_one()
        taken[entity] = [f"{entity}-{year}-{number:06d}" for number in range(last - count + 1, last + 1)]
    return [taken[entity].pop(0) for entity in entities]


LINE = (
    "line",
    "customer_month_id",
    "site",
    "price_kind",
    "description",
    "quantity",
    "unit",
    "unit_price",
    "amount",
    "tax_type",
    "tax",
)
KEY = ("site", "price_kind", "tariff", "band", "price", "multiplier")  # of a line, as in `Line.key`


@dataclass(kw_only=True)
class _Writer:
    """Writes documents one by one, and what hangs on all of them at the end, in one statement each."""

    connection: sa.Connection
    archive: Archive
    sales_account: str
    now: datetime
    lines: list[tuple[int, Line]] = field(default_factory=list)
    frozen: list[int] = field(default_factory=list)

    def write(self, row: Any, document: Draft, number: str, billed: Sequence[_Wanted]) -> Prepared:
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
        inherited = {
            name: getattr(row, name) for name in ("entity", "customer", "customer_month_id", "month", "revision")
        }
        drafted = {name: getattr(document, name) for name in ("kind", "currency", "subtotal", "tax", "total")}
        document_id = sql(
            self.connection,
            "invoicing/insert_document",
            number=number,
            issued_on=issued_on,
            due_on=due_on,
            payload=json.dumps(content),
            payload_sha256=fingerprint(content),
            statement=statement,
            **inherited,
            **drafted,
        ).scalar_one()
        self.lines += [(document_id, line) for line in document.lines]
        self.frozen += [item.row.customer_month_id for item in billed]
        intent = {"number": number, "month": str(month), "payload_sha256": fingerprint(content)}
        prepare(self.connection, kind=DOCUMENT, business_key=f"document:{number}", payload=intent, now=self.now)
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
        rows = [
            {"document_id": document_id} | {name: getattr(line, name) for name in LINE}
            for document_id, line in self.lines
        ]
        self.connection.execute(query("invoicing/insert_lines"), rows)
        keys = [dict(zip(KEY, line.key, strict=True)) for _, line in self.lines]
        columns = {name: [key[name] for key in keys] for name in KEY}
        columns |= {name: [getattr(line, name) for _, line in self.lines] for name in ("line", "customer_month_id")}
        sql(self.connection, "invoicing/link_records", **columns)
        sql(self.connection, "invoicing/freeze", ids=self.frozen, documented=True, now=self.now)
