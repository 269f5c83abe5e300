"""The queries of `sql/invoicing/statement/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import row_or_none, rows


@dataclass(frozen=True, kw_only=True)
class Head:
    """A document with whom it is between, as last known; amounts are signed."""

    number: str
    kind: str
    month: date
    currency: str
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    issued_on: date
    due_on: date
    payment_link: str | None
    customer_month_id: int
    entity: str
    customer: str
    legal_name: str
    address: str
    vat_number: str | None
    our_name: str | None
    our_address: str | None
    our_vat_number: str | None
    our_email: str | None


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """A line of a document; amounts are signed."""

    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    tax_type: str
    tax: Decimal


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A revision that changes what was billed before, with the number that brought the first one."""

    customer_month_id: int
    before_id: int
    month: date
    corrects: str | None


@dataclass(frozen=True, kw_only=True)
class BilledDay:
    """A machine-day as the rating saw it; watt-hours are empty where nobody knows them."""

    customer_month_id: int
    site: str
    machine: str
    day: date
    collection_id: int | None
    wh: int | None
    kwh: Decimal | None
    estimated_wh: int
    hours_measured: int
    hours_estimated: int
    hours_expected: int
    quality: str


def head(connection: sa.Connection, *, number: str) -> Head | None:
    """A document with whom it is between."""
    return row_or_none(connection, "invoicing/statement/head", Head, number=number)


def lines(connection: sa.Connection, *, number: str) -> list[StatementLine]:
    """The lines of a document."""
    return rows(connection, "invoicing/statement/lines", StatementLine, number=number)


def corrections(connection: sa.Connection, *, number: str) -> list[Correction]:
    """The revisions that a document brings and that change what was billed."""
    return rows(connection, "invoicing/statement/corrections", Correction, number=number)


def days(connection: sa.Connection, *, ids: Sequence[int]) -> list[BilledDay]:
    """Every machine-day of these customer-months, of whatever revision."""
    return rows(connection, "invoicing/statement/days", BilledDay, ids=ids)
