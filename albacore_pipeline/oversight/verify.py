"""Proves the invariants on what is stored: each break in one line, none is good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa

from albacore_pipeline.consumption.store import stored_hash
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.outbox import fingerprint
from albacore_pipeline.money import MINOR_UNITS
from albacore_pipeline.oversight import queries
from albacore_pipeline.periods import FIRST_DAY, DayRange, Month

END = date(9999, 12, 1)


def verify(connection: sa.Connection, *, month: Month | None = None) -> list[str]:
    """Every broken invariant of a month, or of all. Raises LookupError when nothing is stored to be proved."""
    days = DayRange(month.first_day if month else FIRST_DAY, month.last_day if month else END)
    if not queries.anything_stored(connection, first_day=days.first, last_day=days.last):
        raise LookupError(f"nothing is stored of {month or 'any month'}: there is nothing to prove")
    return [
        *_energy(connection, days),
        *_money(connection, days),
        *_documents(connection, days),
        *_chains(connection),
    ]


def _energy(connection: sa.Connection, days: DayRange) -> Iterator[str]:
    yield from _changed_collections(connection, days)
    for day in queries.hours_against_days(connection, first_day=days.first, last_day=days.last):
        yield f"{day.site} {day.machine} {day.day}: the hours hold {day.hours} Wh, the day {day.wh}"
    for lost in queries.conservation(connection, first_day=days.first, last_day=days.last):
        places = f"billed {lost.billed} and unbilled {lost.unbilled}"
        yield f"{lost.site} {lost.day}: measured {lost.measured} Wh, {places}"
    for month in queries.records_against_days(connection, first_day=days.first, last_day=days.last):
        where = f"{month.month:%Y-%m} {month.customer} at {month.site}"
        yield f"{where}: the records hold {month.records} Wh, their machine-days {month.days}"
    for twice in queries.days_billed_twice(connection, first_day=days.first, last_day=days.last):
        whom = " and ".join(dict.fromkeys((twice.customer, twice.other_customer)))
        yield f"{twice.site} {twice.machine} {twice.day}: billed twice, to {whom}"


def _changed_collections(connection: sa.Connection, days: DayRange) -> Iterator[str]:
    stored = queries.stored_days(connection, first_day=days.first, last_day=days.last)
    by_collection = {key: list(rows) for key, rows in groupby(stored, key=attrgetter("collection_id"))}
    for collection in queries.stored_collections(connection, first_day=days.first, last_day=days.last):
        if stored_hash(by_collection.get(collection.collection_id, [])) != collection.content_sha256:
            yield f"{collection.site} {collection.day}: the machine-days are not those that were collected"


def _money(connection: sa.Connection, days: DayRange) -> Iterator[str]:
    for month in queries.content_against_hash(connection, first_day=days.first, last_day=days.last):
        whose = f"{month.month:%Y-%m} {month.customer} revision {month.revision}"
        yield f"{whose}: the records are not those that were rated"
    for document in queries.lines_against_documents(connection, first_day=days.first, last_day=days.last):
        lines = f"the lines add up to {document.lines} and {document.line_tax} tax"
        yield f"{document.number}: {lines}, the document says {document.subtotal} and {document.tax}"
    for places in sorted(set(MINOR_UNITS.values())):
        currencies = [currency for currency, digits in MINOR_UNITS.items() if digits == places]
        for bill in queries.records_against_lines(
            connection, first_day=days.first, last_day=days.last, minor_units=places, currencies=currencies
        ):
            whose = f"{bill.month:%Y-%m} {bill.customer}"
            yield f"{whose}: the records come to {bill.records}, the documents billed {bill.billed}"


def _documents(connection: sa.Connection, days: DayRange) -> Iterator[str]:
    for document in queries.payloads(connection, first_day=days.first, last_day=days.last):
        if fingerprint(document.payload) != document.payload_sha256:
            yield f"{document.number}: what was committed to be sent was changed afterwards"
    for number in queries.numbers(connection):
        yield f"{number}: the number was taken and there is no document"
    for difference in queries.open_differences(connection):
        yield f"{difference.number}: {difference.field} is {difference.ours} here, {difference.xeros} in Xero"


def _chains(connection: sa.Connection) -> Iterator[str]:
    for seq in audit.broken_links(connection):
        yield f"audit event {seq}: the chain does not hold"
