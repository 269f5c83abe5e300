"""The queries of `sql/oversight/`, typed: what `verify` and `explain` ask, and what the sensors compare.

The month report has doors of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import Json, row, row_or_none, rows

# What verify asks; each row is a break


@dataclass(frozen=True, kw_only=True)
class StoredCollection:
    """A collection that counts, with the hash of what was collected."""

    collection_id: int
    site: str
    day: date
    content_sha256: str


@dataclass(frozen=True, kw_only=True)
class StoredMachineDay:
    """A machine-day of a collection as it is stored."""

    collection_id: int
    machine: str
    hourly_wh: list[int]
    hourly_quality: str
    flags: str


@dataclass(frozen=True, kw_only=True)
class UnevenDay:
    """A machine-day whose hours do not add up to it."""

    site: str
    machine: str
    day: date
    wh: int | None
    hours: int


@dataclass(frozen=True, kw_only=True)
class LostEnergy:
    """Energy of a site-day that is not in exactly one place."""

    site: str
    day: date
    measured: int
    billed: int
    unbilled: int


@dataclass(frozen=True, kw_only=True)
class UnevenMonth:
    """A customer-month whose records at a site hold other watt-hours than the machine-days behind them."""

    month: date
    customer: str
    site: str
    records: int
    days: int


@dataclass(frozen=True, kw_only=True)
class TwiceBilledDay:
    """A machine-day that two records hold."""

    month: date
    site: str
    machine: str
    customer: str
    other_customer: str
    day: date


@dataclass(frozen=True, kw_only=True)
class ChangedMonth:
    """A revision whose records are not those that were rated."""

    month: date
    customer: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class UnevenDocument:
    """A document whose lines do not add up to it."""

    number: str
    subtotal: Decimal
    lines: Decimal
    tax: Decimal
    line_tax: Decimal
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class UnevenBill:
    """A customer-month whose rounded records differ from what its documents billed."""

    month: date
    customer: str
    records: Decimal
    billed: Decimal


@dataclass(frozen=True, kw_only=True)
class CommittedPayload:
    """What was committed to be sent of a document, and its hash."""

    number: str
    payload: Json
    payload_sha256: str


@dataclass(frozen=True, kw_only=True)
class OpenDifference:
    """Where Xero and we differ, as the last reconciliation saw it."""

    number: str
    field: str
    ours: str
    xeros: str


def anything_stored(connection: sa.Connection, *, first_day: date, last_day: date) -> bool:
    """Whether there is anything of these days."""
    return row(connection, "oversight/anything_stored", bool, first_day=first_day, last_day=last_day)


def stored_collections(connection: sa.Connection, *, first_day: date, last_day: date) -> list[StoredCollection]:
    """The collections that count."""
    return rows(connection, "oversight/stored_collections", StoredCollection, first_day=first_day, last_day=last_day)


def stored_days(connection: sa.Connection, *, first_day: date, last_day: date) -> list[StoredMachineDay]:
    """The machine-days of the collections that count, in the order in which they were hashed."""
    return rows(connection, "oversight/stored_days", StoredMachineDay, first_day=first_day, last_day=last_day)


def hours_against_days(connection: sa.Connection, *, first_day: date, last_day: date) -> list[UnevenDay]:
    """Machine-days whose hours do not add up to the day."""
    return rows(connection, "oversight/hours_against_days", UnevenDay, first_day=first_day, last_day=last_day)


def conservation(connection: sa.Connection, *, first_day: date, last_day: date) -> list[LostEnergy]:
    """Energy per site and day that is not in exactly one place."""
    return rows(connection, "oversight/conservation", LostEnergy, first_day=first_day, last_day=last_day)


def records_against_days(connection: sa.Connection, *, first_day: date, last_day: date) -> list[UnevenMonth]:
    """Customer-months whose records do not hold the watt-hours of the machine-days behind them."""
    return rows(connection, "oversight/records_against_days", UnevenMonth, first_day=first_day, last_day=last_day)


def days_billed_twice(connection: sa.Connection, *, first_day: date, last_day: date) -> list[TwiceBilledDay]:
    """Machine-days that two records of current revisions hold."""
    return rows(connection, "oversight/days_billed_twice", TwiceBilledDay, first_day=first_day, last_day=last_day)


def content_against_hash(connection: sa.Connection, *, first_day: date, last_day: date) -> list[ChangedMonth]:
    """Revisions whose records are not those that were rated."""
    return rows(connection, "oversight/content_against_hash", ChangedMonth, first_day=first_day, last_day=last_day)


def lines_against_documents(connection: sa.Connection, *, first_day: date, last_day: date) -> list[UnevenDocument]:
    """Documents whose lines do not add up."""
    return rows(connection, "oversight/lines_against_documents", UnevenDocument, first_day=first_day, last_day=last_day)


def records_against_lines(
    connection: sa.Connection, *, first_day: date, last_day: date, minor_units: int, currencies: Sequence[str]
) -> list[UnevenBill]:
    """Customer-months in these currencies whose rounded records differ from what was billed for them."""
    return rows(
        connection, "oversight/records_against_lines", UnevenBill,
        first_day=first_day, last_day=last_day, minor_units=minor_units, currencies=currencies,
    )  # fmt: skip


def payloads(connection: sa.Connection, *, first_day: date, last_day: date) -> list[CommittedPayload]:
    """Documents with the payload that was committed."""
    return rows(connection, "oversight/payloads", CommittedPayload, first_day=first_day, last_day=last_day)


def numbers(connection: sa.Connection) -> list[str]:
    """Numbers that were taken and have no document."""
    return rows(connection, "oversight/numbers", str)


def open_differences(connection: sa.Connection) -> list[OpenDifference]:
    """What the last reconciliation with Xero saw and nothing has settled since."""
    return rows(connection, "oversight/open_differences", OpenDifference)


# What explain asks


@dataclass(frozen=True, kw_only=True)
class ExplainedLine:
    """A line of a document."""

    line: int
    description: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class ExplainedRecord:
    """A record with the rating that it came of; number and line are empty while it has no document."""

    number: str | None
    line: int | None
    billing_record_id: int
    price_kind: str
    from_day: date
    to_day: date
    tariff: str
    band: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    averaged: bool
    amount: Decimal
    site: str | None
    machine: str | None
    customer: str
    month: date
    revision: int
    billing_run_id: int
    registry_version: int
    machine_id: int | None


@dataclass(frozen=True, kw_only=True)
class ExplainedDay:
    """A machine-day of a record, with the collection and the raw answers that it came from."""

    day: date
    machine: str
    wh: int | None
    estimated_hours: int
    estimate_wh: int
    quality: str
    collection_id: int
    revision: int
    collected_at: datetime
    run_id: str
    raw: list[str]


@dataclass(frozen=True, kw_only=True)
class ExplainedReading:
    """A reading of a machine's day; the hours are empty where the site did not know the machine."""

    collection_id: int
    revision: int
    state: str
    collected_at: datetime
    run_id: str
    raw: list[str]
    reason: str | None
    wh: int | None
    hourly_wh: list[int] | None
    hourly_quality: str | None
    quality: str | None
    flags: str | None
    estimated_hours: int | None
    estimate_wh: int | None


@dataclass(frozen=True, kw_only=True)
class EnergyPlace:
    """Where a machine-day's energy went, in words; the line orders them."""

    words: str
    line: int | None


def explain_lines(connection: sa.Connection, *, number: str, line: int | None) -> list[ExplainedLine]:
    """The lines of a document, or one of them."""
    return rows(connection, "oversight/explain_lines", ExplainedLine, number=number, line=line)


def explain_records(
    connection: sa.Connection, *, number: str | None, line: int | None, record: int | None
) -> list[ExplainedRecord]:
    """The records behind the lines of a document (or behind one of them), or one record wherever it stands."""
    return rows(connection, "oversight/explain_records", ExplainedRecord, number=number, line=line, record=record)


def explain_days(
    connection: sa.Connection,
    *,
    billing_run_id: int,
    registry_version: int,
    customer: str,
    site: str | None,
    machine_id: int | None,
    from_day: date,
    to_day: date,
) -> list[ExplainedDay]:
    """The machine-days of a record; without a machine, of all that the customer had at the site."""
    return rows(
        connection, "oversight/explain_days", ExplainedDay,
        billing_run_id=billing_run_id, registry_version=registry_version, customer=customer, site=site,
        machine_id=machine_id, from_day=from_day, to_day=to_day,
    )  # fmt: skip


def explain_machine_day(connection: sa.Connection, *, machine: str, day: date) -> list[ExplainedReading]:
    """Every reading of a machine's day, newest first."""
    return rows(connection, "oversight/explain_machine_day", ExplainedReading, machine=machine, day=day)


def explain_place(connection: sa.Connection, *, machine: str, day: date) -> list[EnergyPlace]:
    """The records that hold a machine-day's energy, and what of it is in none."""
    return rows(connection, "oversight/explain_place", EnergyPlace, machine=machine, day=day)


# What the sensors compare


def documented_months(connection: sa.Connection) -> list[date]:
    """The first days of months that have documents."""
    return rows(connection, "oversight/documented_months", date)


def last_reconciliation(connection: sa.Connection) -> datetime | None:
    """When everything was last compared with Xero."""
    return row_or_none(connection, "oversight/last_reconciliation", datetime)


def unseen_by_rating(connection: sa.Connection, *, first_day: date, last_day: date) -> bool:
    """Whether a month's collections or the registry are newer than its last rating."""
    return row(connection, "oversight/unseen_by_rating", bool, first_day=first_day, last_day=last_day)


# Why a customer is where he is


@dataclass(frozen=True, kw_only=True)
class ExplainedCase:
    """Where a document stands, why, and what comes next."""

    number: str
    state: str | None
    stage: str
    since: datetime
    next_stage: str | None
    next_on: date | None
    amount_overdue: Decimal | None
    currency: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ExplainedStep:
    """A stage that a document entered."""

    number: str
    stage: str
    decided_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    claimed: Decimal
    outcome: str
    ended_why: str


@dataclass(frozen=True, kw_only=True)
class ExplainedHold:
    """What keeps or kept a customer or a document out of escalation."""

    number: str | None
    kind: str
    reason: str
    owner: str
    from_at: datetime
    until_at: datetime
    outcome: str | None
    lines: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class ExplainedTask:
    """What a person has to do."""

    key: str
    subject: str
    owner: str
    due_by: datetime


@dataclass(frozen=True, kw_only=True)
class ExplainedCommand:
    """What became of a machine."""

    site: str
    machine: str
    action: str
    reason: str
    requested_at: datetime
    outcome: str


@dataclass(frozen=True, kw_only=True)
class ExplainedPlan:
    """Machines of a plan that stand, or fell for one reason, for a document."""

    plan_id: int
    number: str
    not_before: date
    stands: bool
    why: str
    machines: Sequence[str]


def is_customer(connection: sa.Connection, *, customer: str) -> bool:
    """Whether a customer was ever known."""
    return row(connection, "oversight/is_customer", bool, customer=customer)


def explain_cases(connection: sa.Connection, *, customer: str) -> list[ExplainedCase]:
    """Where a customer's documents stand, the open ones first."""
    return rows(connection, "oversight/explain_cases", ExplainedCase, customer=customer)


def explain_steps(connection: sa.Connection, *, customer: str) -> list[ExplainedStep]:
    """What a customer was told, stage by stage."""
    return rows(connection, "oversight/explain_steps", ExplainedStep, customer=customer)


def explain_holds(connection: sa.Connection, *, customer: str) -> list[ExplainedHold]:
    """What keeps or kept him out."""
    return rows(connection, "oversight/explain_holds", ExplainedHold, customer=customer)


def explain_tasks(connection: sa.Connection, *, customer: str) -> list[ExplainedTask]:
    """What people have to do about him."""
    return rows(connection, "oversight/explain_tasks", ExplainedTask, customer=customer)


def explain_power(connection: sa.Connection, *, customer: str) -> list[ExplainedCommand]:
    """What became of his machines."""
    return rows(connection, "oversight/explain_power", ExplainedCommand, customer=customer)


def explain_plans(connection: sa.Connection, *, customer: str) -> list[ExplainedPlan]:
    """His plans, by document."""
    return rows(connection, "oversight/explain_plans", ExplainedPlan, customer=customer)
