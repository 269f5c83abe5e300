"""Proves the invariants on what is stored: each break in one line, none is good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

import sqlalchemy as sa

from albacore_pipeline.consumption.store import stored_hash
from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.outbox import fingerprint
from albacore_pipeline.money import MINOR_UNITS
from albacore_pipeline.periods import FIRST_DAY, Month

END = date(9999, 12, 1)


def verify(connection: sa.Connection, *, month: Month | None = None) -> list[str]:
    """Every broken invariant of a month, or of all. Raises LookupError when nothing is stored to be proved."""
    days = {"first_day": month.first_day if month else FIRST_DAY, "last_day": month.last_day if month else END}
    if not sql(connection, "oversight/anything_stored", **days).scalar_one():
        raise LookupError(f"nothing is stored of {month or 'any month'}: there is nothing to prove")
    return [
        *_energy(connection, **days),
        *_money(connection, **days),
        *_documents(connection, **days),
        *_chains(connection),
    ]


def _energy(connection: sa.Connection, **days: date) -> Iterator[str]:
    stored = sql(connection, "oversight/stored_days", **days)
    for (site, day, sha256), rows in groupby(stored, key=lambda row: (row.site, row.day, row.content_sha256)):
        if stored_hash([row for row in rows if row.machine is not None]) != sha256:
            yield f"{site} {day}: the machine-days are not those that were collected"
    for row in sql(connection, "oversight/hours_against_days", **days):
        yield f"{row.site} {row.machine} {row.day}: the hours hold {row.hours} Wh, the day {row.wh}"
    for row in sql(connection, "oversight/conservation", **days):
        yield f"{row.site} {row.day}: measured {row.measured} Wh, billed {row.billed} and unbilled {row.unbilled}"
    for row in sql(connection, "oversight/records_against_days", **days):
        where = f"{row.month:%Y-%m} {row.customer} at {row.site}"
        yield f"{where}: the records hold {row.records} Wh, their machine-days {row.days}"
    for row in sql(connection, "oversight/days_billed_twice", **days):
        whom = " and ".join(dict.fromkeys((row.customer, row.other_customer)))
        yield f"{row.site} {row.machine} {row.day}: billed twice, to {whom}"


def _money(connection: sa.Connection, **days: date) -> Iterator[str]:
    for row in sql(connection, "oversight/content_against_hash", **days):
        yield f"{row.month:%Y-%m} {row.customer} revision {row.revision}: the records are not those that were rated"
    for row in sql(connection, "oversight/lines_against_documents", **days):
        said = f"the document says {row.subtotal} and {row.tax}"
        yield f"{row.number}: the lines add up to {row.lines} and {row.line_tax} tax, {said}"
    for places in sorted(set(MINOR_UNITS.values())):
        currencies = [currency for currency, digits in MINOR_UNITS.items() if digits == places]
        for row in sql(
            connection, "oversight/records_against_lines", **days, minor_units=places, currencies=currencies
        ):
            said = f"the records come to {row.records}, the documents billed {row.billed}"
            yield f"{row.month:%Y-%m} {row.customer}: {said}"


def _documents(connection: sa.Connection, **days: date) -> Iterator[str]:
    for row in sql(connection, "oversight/payloads", **days):
        if fingerprint(row.payload) != row.payload_sha256:
            yield f"{row.number}: what was committed to be sent was changed afterwards"
    for row in sql(connection, "oversight/numbers"):
        yield f"{row.expected}: the number was taken and there is no document"
    for row in sql(connection, "oversight/open_differences"):
        yield f"{row.number}: {row.field} is {row.ours} here, {row.xeros} in Xero"


def _chains(connection: sa.Connection) -> Iterator[str]:
    for seq in audit.broken_links(connection):
        yield f"audit event {seq}: the chain does not hold"
