"""The queries of `sql/cli/`, typed: what the story asks, and what its summary shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import row, row_or_none, rows


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document as finance sees it."""

    number: str
    customer: str
    month: str
    kind: str
    total: Decimal
    currency: str
    amount_due: Decimal | None
    state: str
    payment_link: str | None


@dataclass(frozen=True, kw_only=True)
class DocumentLine:
    """A line of an invoice; `amount` with tax."""

    number: str
    line: int
    description: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class CommandedMachine:
    """A machine that was commanded."""

    site: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class CollectedSite:
    """What was collected of a site; `coverage` is the share of its hours that are known."""

    site: str
    nights: int
    readings: int
    later_revisions: int
    kwh: Decimal
    coverage: Decimal


@dataclass(frozen=True, kw_only=True)
class StageEntered:
    """A stage that a document has come to, and what its notice claimed for it."""

    customer: str
    stage: str
    number: str
    claimed: Decimal
    decided_at: datetime
    delivered_at: datetime | None
    owner: str


@dataclass(frozen=True, kw_only=True)
class OpenCase:
    """A document on its way: the last stage that it entered, why it stands there, and what comes next."""

    customer: str
    number: str
    stage: str
    state: str
    reason: str
    next_stage: str | None
    next_on: date | None


@dataclass(frozen=True, kw_only=True)
class CommandTotal:
    """Power commands of one action, site and outcome."""

    action: str
    site: str
    machines: int
    sent_at: datetime | None
    verified_at: datetime | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class MeasuredDay:
    """A machine-day of which every hour was measured."""

    machine: str
    day: date
    kwh: Decimal


def collections(connection: sa.Connection, *, site: str | None, day: date | None, revision: int) -> int:
    """How often a site-day was collected as such a revision or a later one."""
    return row(connection, "cli/collections", int, site=site, day=day, revision=revision)


def documents(connection: sa.Connection, *, month: str | None, customer: str | None) -> list[Document]:
    """Documents of a month and a customer, or of all."""
    return rows(connection, "cli/documents", Document, month=month, customer=customer)


def holds(connection: sa.Connection, *, customer: str) -> list[str]:
    """How the holds ended that a customer has had; empty: it holds, or it expired."""
    return rows(connection, "cli/holds", str, customer=customer)


def invoice_line(connection: sa.Connection, *, month: str, customer: str, line: int) -> DocumentLine:
    """A line of a customer's invoice of a month."""
    return row(connection, "cli/invoice_line", DocumentLine, month=month, customer=customer, line=line)


def holder(connection: sa.Connection, *, machine: str, day: date) -> str | None:
    """Whose a machine is on a day, by the registry in force."""
    return row_or_none(connection, "cli/holder", str, machine=machine, day=day)


def machines_with_a_plan(connection: sa.Connection) -> list[str]:
    """Machines for which a plan of a pause stands."""
    return rows(connection, "cli/machines_with_a_plan", str)


def customers_of_month(connection: sa.Connection, *, month: str) -> list[str]:
    """The customers of a month."""
    return rows(connection, "cli/customers_of_month", str, month=month)


def commanded_machines(
    connection: sa.Connection, *, action: str, outcome: str, site: str | None
) -> list[CommandedMachine]:
    """Machines with a command of this action and outcome."""
    return rows(connection, "cli/commanded_machines", CommandedMachine, action=action, outcome=outcome, site=site)


def collected_sites(connection: sa.Connection) -> list[CollectedSite]:
    """What was collected of each site."""
    return rows(connection, "cli/collected_sites", CollectedSite)


def stages(connection: sa.Connection) -> list[StageEntered]:
    """The stages that documents have come to, as they were decided."""
    return rows(connection, "cli/stages", StageEntered)


def open_cases(connection: sa.Connection) -> list[OpenCase]:
    """The documents that are not paid, and where they stand."""
    return rows(connection, "cli/open_cases", OpenCase)


def commands(connection: sa.Connection) -> list[CommandTotal]:
    """Power commands by action, site and outcome."""
    return rows(connection, "cli/commands", CommandTotal)


def measured_days(connection: sa.Connection, *, site: str, first_day: date, last_day: date) -> list[MeasuredDay]:
    """Machine-days of a site of which every hour was measured."""
    return rows(connection, "cli/measured_days", MeasuredDay, site=site, first_day=first_day, last_day=last_day)
