"""From an invoice line, a record or a machine's day back to collections and the archived raw answers, and forth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Protocol

import sqlalchemy as sa

from albacore_pipeline.oversight import queries
from albacore_pipeline.oversight.queries import ExplainedDay, ExplainedReading, ExplainedRecord


class Archive(Protocol):
    """Where raw answers are kept."""

    def get(self, sha256: str) -> bytes:
        """The content; raises where it is missing or damaged."""


def explain_document(connection: sa.Connection, *, number: str, line: int | None, archive: Archive) -> Iterator[str]:
    """The explanation, a line of text at a time; raw answers are really read from the archive, not only named.

    Raises LookupError when there is no such document or line.
    """
    lines = queries.explain_lines(connection, number=number, line=line)
    if not lines:
        raise LookupError(
            f"there is no {f'line {line} of ' if line else ''}{number}: see report.invoices for the numbers"
        )
    records = queries.explain_records(connection, number=number, line=line, record=None)
    for each in lines:
        yield f"{number} line {each.line}: {each.description} = {each.amount:,.2f} {each.currency}"
        behind = [record for record in records if record.line == each.line]
        if not behind:
            yield "  the records of the revision before stood on this line; the correction takes them back"
        for record in behind:
            yield from _record(connection, record, archive)


def explain_record(connection: sa.Connection, *, record: int, archive: Archive) -> Iterator[str]:
    """A billing record, wherever it stands. Raises LookupError when there is none of that number."""
    rows = queries.explain_records(connection, number=None, line=None, record=record)
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
    readings = queries.explain_machine_day(connection, machine=machine, day=day)
    if not readings:
        raise LookupError(f"{machine} {day}: nothing was collected; see report.machine_days for what there is")
    for row in readings:
        yield f"{machine} {day} revision {row.revision}, {row.state}{f' ({row.reason})' if row.reason else ''}:"
        if row.hourly_wh is None:
            yield "  the site did not know the machine"
        else:
            yield f"  {_known(row.wh)}, {row.quality}{f', {row.flags}' if row.flags else ''}"
            hours = zip(row.hourly_wh, row.hourly_quality or "", strict=True)
            yield "  Wh by hour: " + " ".join("-" if letter == "x" else str(wh) for wh, letter in hours)
        if row.estimated_hours:
            yield f"  and {row.estimated_hours} hours estimated from the days around: {_known(row.estimate_wh)}"
        yield from _reading(row, archive, indent="  ")
    yield from (destination.words for destination in queries.explain_place(connection, machine=machine, day=day))


def _record(connection: sa.Connection, record: ExplainedRecord, archive: Archive) -> Iterator[str]:
    who = f"{record.site} {record.machine}" if record.machine else record.site or "the customer's month"
    price = f"{record.unit_price:f}{' on average' if record.averaged else ''}"
    yield (
        f"  record {record.billing_record_id}: {who}, {record.from_day} to {record.to_day}, tariff {record.tariff}"
        f"{f' ({record.band})' if record.band else ''} (registry version {record.registry_version}):"
        f" {record.quantity:,f} {record.unit} x {price} = {record.amount:f}"
    )
    if record.price_kind != "energy":
        return
    days = queries.explain_days(
        connection, billing_run_id=record.billing_run_id, registry_version=record.registry_version,
        customer=record.customer, site=record.site, machine_id=record.machine_id, from_day=record.from_day,
        to_day=record.to_day,
    )  # fmt: skip
    for _, rows in groupby(days, key=lambda row: row.day):
        yield from _day(list(rows), archive)


def _day(rows: Sequence[ExplainedDay], archive: Archive) -> Iterator[str]:
    """A day of a record: one machine, or all that it spans."""
    first = rows[0]
    known = [row.wh for row in rows if row.wh is not None]
    estimated = sum(row.estimated_hours for row in rows)
    what = first.quality if len(rows) == 1 else f"{len(rows)} machines"
    yield (
        f"    {first.day}: {_known(sum(known) if known else None)}, {what}"
        + (f", {estimated} hours estimated from the days around" if estimated else "")
        + f"; collection {first.collection_id} revision {first.revision}"
    )
    yield from _reading(first, archive, indent="      ")


def _reading(row: ExplainedDay | ExplainedReading, archive: Archive, *, indent: str) -> Iterator[str]:
    sizes = [len(archive.get(sha256)) for sha256 in row.raw]
    answers = (f"{sha256[:16]} ({size:,} bytes)" for sha256, size in zip(row.raw, sizes, strict=True))
    yield f"{indent}collected {row.collected_at:%Y-%m-%d %H:%M} UTC by run {row.run_id}"
    yield f"{indent}raw answers: {', '.join(answers)}"


def _known(wh: int | None) -> str:
    return "nothing known" if wh is None else f"{wh * 0.001:,.3f} kWh"
