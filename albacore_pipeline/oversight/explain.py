"""From an invoice line, a record or a machine's day back to collections and the archived raw answers, and forth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Protocol

import sqlalchemy as sa

from albacore_pipeline.database import sql


class Archive(Protocol):
    """Where raw answers are kept."""

    def get(self, sha256: str) -> bytes:
        """The content; raises where it is missing or damaged."""


def explain_document(connection: sa.Connection, *, number: str, line: int | None, archive: Archive) -> Iterator[str]:
    """The explanation, a line of text at a time; raw answers are really read from the archive, not only named.

    Raises LookupError when there is no such document or line.
    """
    rows = sql(connection, "oversight/explain_line", number=number, line=line, record=None).all()
    if not rows:
        raise LookupError(
            f"there is no {f'line {line} of ' if line else ''}{number}: see report.invoices for the numbers"
        )
    for (at, description, amount, currency), records in groupby(
        rows, key=lambda row: (row.line, row.description, row.amount, row.currency)
    ):
        yield f"{number} line {at}: {description} = {amount:,.2f} {currency}"
        for record in records:
            yield from _record(connection, record, archive)


def explain_record(connection: sa.Connection, *, record: int, archive: Archive) -> Iterator[str]:
    """A billing record, wherever it stands. Raises LookupError when there is none of that number."""
    rows = sql(connection, "oversight/explain_line", number=None, line=None, record=record).all()
    if not rows:
        raise LookupError(f"there is no record {record}: `explain NUMBER` names the records of a document")
    row = rows[0]
    where = f"{row.number} line {row.line}" if row.number else "no document yet"
    yield f"{row.month:%Y-%m} {row.customer} revision {row.revision}, {where}"
    yield from _record(connection, row, archive)


def explain_day(connection: sa.Connection, *, machine: str, day: date, archive: Archive) -> Iterator[str]:
    """A machine's day: each reading of it with its hours, and where its energy went.

    Raises LookupError when the day was not collected.
    """
    readings = sql(connection, "oversight/explain_machine_day", machine=machine, day=day).all()
    if not readings:
        raise LookupError(f"{machine} {day}: nothing was collected; see report.machine_days for what there is")
    for row in readings:
        yield f"{machine} {day} revision {row.revision}, {row.state}{f' ({row.reason})' if row.reason else ''}:"
        if row.hourly_wh is None:
            yield "  the site did not know the machine"
        else:
            yield f"  {_known(row.wh)}, {row.quality}{f', {row.flags}' if row.flags else ''}"
            hours = zip(row.hourly_wh, row.hourly_quality, strict=True)
            yield "  Wh by hour: " + " ".join("-" if letter == "x" else str(wh) for wh, letter in hours)
        if row.estimated_hours:
            yield f"  and {row.estimated_hours} hours estimated from the days around: {_known(row.estimate_wh)}"
        yield from _reading(row, archive, indent="  ")
    places = sql(connection, "oversight/explain_place", machine=machine, day=day).all()
    yield from (row.said for row in places)


def _record(connection: sa.Connection, record: Any, archive: Archive) -> Iterator[str]:
    if record.billing_record_id is None:
        yield "  the records of the revision before stood on this line; the correction takes them back"
        return
    who = f"{record.site} {record.machine}" if record.machine else record.site or "the customer's month"
    price = f"{record.unit_price:f}{' on average' if record.averaged else ''}"
    yield (
        f"  record {record.billing_record_id}: {who}, {record.from_day} to {record.to_day}, tariff {record.tariff}"
        f"{f' ({record.band})' if record.band else ''} (registry version {record.registry_version}):"
        f" {record.quantity:,f} {record.unit} x {price} = {record.exact_amount:f}"
    )
    if record.price_kind != "energy":
        return
    names = ("billing_run_id", "registry_version", "customer", "site", "machine_id", "from_day", "to_day")
    days = sql(connection, "oversight/explain_days", **{name: getattr(record, name) for name in names})
    for _, rows in groupby(days, key=lambda row: row.day):
        yield from _day(list(rows), archive)


def _day(rows: Sequence[Any], archive: Archive) -> Iterator[str]:
    """A day of a record: one machine, or all that it spans."""
    first = rows[0]
    known = [row.wh for row in rows if row.wh is not None]
    guessed = sum(row.estimated_hours for row in rows)
    what = first.quality if len(rows) == 1 else f"{len(rows)} machines"
    yield (
        f"    {first.day}: {_known(sum(known) if known else None)}, {what}"
        + (f", {guessed} hours estimated from the days around" if guessed else "")
        + f"; collection {first.collection_id} revision {first.revision}"
    )
    yield from _reading(first, archive, indent="      ")


def _reading(row: Any, archive: Archive, *, indent: str) -> Iterator[str]:
    sizes = [len(archive.get(sha256)) for sha256 in row.raw]
    answers = (f"{sha256[:16]} ({size:,} bytes)" for sha256, size in zip(row.raw, sizes, strict=True))
    yield f"{indent}collected {row.collected_at:%Y-%m-%d %H:%M} UTC by run {row.run_id}"
    yield f"{indent}raw answers: {', '.join(answers)}"


def _known(wh: int | None) -> str:
    return "nothing known" if wh is None else f"{wh * 0.001:,.3f} kWh"
