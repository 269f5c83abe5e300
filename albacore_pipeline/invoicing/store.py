"""Documents in the database: numbered, written once, frozen with their records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.outbox import fingerprint, prepare
from albacore_pipeline.invoicing.documents import Draft, Group, draft, payload
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
    """
    ready = sql(connection, "invoicing/ready", month=month.first_day if month else None).all()
    groups = _groups(
        connection, ids=[row.customer_month_id for row in ready] + [row.before_id for row in ready if row.before_id]
    )
    drafts: list[tuple[Any, Draft]] = []
    for row in ready:
        document = draft(
            month=Month.of(row.month),
            currency=row.currency,
            tax_type=row.tax_type,
            groups=groups[row.customer_month_id],
            before=groups[row.before_id] if row.before_id else (),
            corrects=row.corrects,
        )
        if document is None:
            sql(connection, "invoicing/freeze", customer_month_id=row.customer_month_id, documented=False, now=now)
        else:
            drafts.append((row, document))
    numbers = _numbers(connection, entities=[row.entity for row, _ in drafts], year=now.year)
    prepared = [
        _write(
            connection, row=row, document=document, number=number, archive=archive, sales_account=sales_account, now=now
        )
        for (row, document), number in zip(drafts, numbers, strict=True)
    ]
    if prepared:
        details = {"documents": [[document.number, document.currency, str(document.total)] for document in prepared]}
        audit.record(
            connection, now=now, action="prepare_documents", subject=str(month or "all months"), details=details
        )
    return prepared


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


def _write(
    connection: sa.Connection,
    *,
    row: Any,
    document: Draft,
    number: str,
    archive: Archive,
    sales_account: str,
    now: datetime,
) -> Prepared:
    month = Month.of(row.month)
    issued_on = now.date()
    due_on: date = issued_on + timedelta(days=row.payment_terms_days)
    content = payload(
        draft=document,
        number=number,
        reference=f"{month} {row.customer} r{row.revision}",
        customer=row.customer,
        issued_on=issued_on.isoformat(),
        due_on=due_on.isoformat(),
        sales_account=sales_account,
    )
    statement = archive.put(statement_of(connection, customer_month_id=row.customer_month_id))
    inherited = {name: getattr(row, name) for name in ("entity", "customer", "customer_month_id", "month", "revision")}
    drafted = {name: getattr(document, name) for name in ("kind", "currency", "subtotal", "tax", "total")}
    document_id = sql(
        connection,
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
    _write_lines(connection, document=document, document_id=document_id, customer_month_id=row.customer_month_id)
    sql(connection, "invoicing/freeze", customer_month_id=row.customer_month_id, documented=True, now=now)
    intent = {"number": number, "month": str(month), "payload_sha256": fingerprint(content)}
    prepare(connection, kind=DOCUMENT, business_key=f"document:{number}", payload=intent, now=now)
    return Prepared(
        number=number,
        kind=document.kind,
        customer=row.customer,
        month=month,
        currency=document.currency,
        total=document.total,
    )


LINE = ("line", "site", "price_kind", "description", "quantity", "unit", "unit_price", "amount", "tax_type", "tax")
KEY = ("site", "price_kind", "tariff", "band", "unit_price", "multiplier")  # of a line, as in `Line.key`


def _write_lines(connection: sa.Connection, *, document: Draft, document_id: int, customer_month_id: int) -> None:
    """Write the lines, and note on each record the line that it stands on."""
    for line in document.lines:
        values = {name: getattr(line, name) for name in LINE}
        sql(connection, "invoicing/insert_lines", document_id=document_id, **values)
        key = dict(zip(KEY, line.key, strict=True))
        sql(connection, "invoicing/link_records", customer_month_id=customer_month_id, line=line.line, **key)
