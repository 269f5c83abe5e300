"""The queries of `sql/oversight/month_report/`, typed. Months are written `YYYY-MM`; days are inclusive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import rows


@dataclass(frozen=True, kw_only=True)
class CurrencyTotal:
    """What a month's documents come to in a currency, beside those of the month before."""

    currency: str
    customers: int
    documents: int
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    due: Decimal
    subtotal_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class CustomerMonth:
    """Energy and money of a customer, beside the month before; what is empty there was not."""

    customer: str
    name: str | None
    state: str
    reason: str
    currency: str
    kwh: Decimal | None
    estimated_kwh: Decimal | None
    amount: Decimal | None
    energy: Decimal | None
    invoiced: Decimal | None
    numbers: str | None
    kwh_before: Decimal | None
    amount_before: Decimal | None
    energy_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class SiteMonth:
    """Energy of a site: measured, billed and not billed, hours, and what was measured the month before."""

    site: str
    machines: int
    kwh: Decimal | None
    billed: Decimal
    unbilled: Decimal
    hours_missing: int
    hours_estimated: int
    kwh_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class SiteMoney:
    """Money of a site in a currency, beside the month before; what no site bears has an empty site."""

    site: str
    currency: str
    kwh: Decimal | None
    amount: Decimal | None
    energy: Decimal | None
    kwh_before: Decimal | None
    amount_before: Decimal | None
    energy_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class SiteDayEnergy:
    """Energy of a site's day."""

    site: str
    day: date
    kwh: Decimal | None
    hours_missing: int


@dataclass(frozen=True, kw_only=True)
class UnbilledEnergy:
    """Energy that stands in no billing record, for one reason at one site."""

    reason: str
    site: str
    machines: int
    machine_days: int
    kwh: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """What keeps a document from going out or from being reminded; an empty number: the whole customer."""

    customer: str
    number: str
    what: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class CorrectingLine:
    """A line that corrects an earlier bill."""

    month: str
    number: str
    kind: str
    customer: str
    issued_on: date
    description: str
    amount: Decimal
    currency: str
    state: str


@dataclass(frozen=True, kw_only=True)
class EstimatedEnergy:
    """Energy of a customer at a site that was billed on estimates."""

    site: str | None
    customer: str
    estimated_kwh: Decimal
    kwh: Decimal


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Hours that nobody knows, of a customer at a site."""

    site: str
    customer: str
    state: str
    reason: str | None
    machines: int
    hours: int
    first_day: date
    last_day: date


def by_currency(connection: sa.Connection, *, month: str, before: str) -> list[CurrencyTotal]:
    """What the documents come to, by currency."""
    return rows(connection, "oversight/month_report/by_currency", CurrencyTotal, month=month, before=before)


def by_customer(connection: sa.Connection, *, month: str, before: str) -> list[CustomerMonth]:
    """Energy and money by customer and currency."""
    return rows(connection, "oversight/month_report/by_customer", CustomerMonth, month=month, before=before)


def by_site(
    connection: sa.Connection,
    *,
    month: str,
    first_day: date,
    last_day: date,
    first_before: date,
    last_before: date,
) -> list[SiteMonth]:
    """Energy by site."""
    return rows(
        connection, "oversight/month_report/by_site", SiteMonth,
        month=month, first_day=first_day, last_day=last_day, first_before=first_before, last_before=last_before,
    )  # fmt: skip


def money_by_site(connection: sa.Connection, *, month: str, before: str) -> list[SiteMoney]:
    """Money by site and currency, exact and before tax."""
    return rows(connection, "oversight/month_report/money_by_site", SiteMoney, month=month, before=before)


def by_day(connection: sa.Connection, *, first_day: date, last_day: date) -> list[SiteDayEnergy]:
    """Energy by site and day, for the plots."""
    return rows(connection, "oversight/month_report/by_day", SiteDayEnergy, first_day=first_day, last_day=last_day)


def unbilled(connection: sa.Connection, *, month: str) -> list[UnbilledEnergy]:
    """Energy that stands in no billing record, by reason and site."""
    return rows(connection, "oversight/month_report/unbilled", UnbilledEnergy, month=month)


def held(connection: sa.Connection, *, month: str, as_of: datetime) -> list[Held]:
    """What keeps documents from going out or from being reminded."""
    return rows(connection, "oversight/month_report/held", Held, month=month, as_of=as_of)


def corrections(connection: sa.Connection, *, month: str) -> list[CorrectingLine]:
    """Lines that correct an earlier bill: of this month, or on a document that was issued in it."""
    return rows(connection, "oversight/month_report/corrections", CorrectingLine, month=month)


def estimates(connection: sa.Connection, *, month: str) -> list[EstimatedEnergy]:
    """Energy that was billed on estimates, by site and customer."""
    return rows(connection, "oversight/month_report/estimates", EstimatedEnergy, month=month)


def gaps(connection: sa.Connection, *, first_day: date, last_day: date) -> list[Gap]:
    """Hours that nobody knows, by site and customer, and whether a person accepted them."""
    return rows(connection, "oversight/month_report/gaps", Gap, first_day=first_day, last_day=last_day)
