"""From an invoice line back to records, machine-days, collections and the archived raw answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Protocol

import sqlalchemy as sa

from albacore_pipeline.database import sql


class Archive(Protocol):
    """Where raw answers are kept."""

    def get(self, sha256: str) -> bytes:
        """The content; raises where it is missing or damaged."""


def explain(connection: sa.Connection, *, number: str, line: int | None, archive: Archive) -> Iterator[str]:
    """The explanation, a line of text at a time; raw answers are really read from the archive, not only named.

    Raises LookupError when there is no such document or line.
    """
    rows = sql(connection, "oversight/explain_line", number=number, line=line).all()
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


def _record(connection: sa.Connection, record: Any, archive: Archive) -> Iterator[str]:
    if record.billing_record_id is None:
        yield "  the records of the revision before stood on this line; the correction takes them back"
        return
    who = f"{record.site} {record.machine}" if record.machine else "the customer's month"
    yield (
        f"  record {record.billing_record_id}: {who}, {record.from_day} to {record.to_day}, tariff {record.tariff}"
        f" (registry version {record.registry_version}): {record.quantity:,f} {record.unit} x {record.unit_price:f}"
        f" = {record.exact_amount:f}"
    )
    if record.price_kind != "energy":
        return
    values = {
        "billing_run_id": record.billing_run_id,
        "machine_id": record.machine_id,
        "from_day": record.from_day,
        "to_day": record.to_day,
    }
    for day in sql(connection, "oversight/explain_days", **values):
        sizes = [len(archive.get(sha256)) for sha256 in day.raw]
        known = f"{day.wh * 0.001:,.3f} kWh" if day.wh is not None else "nothing known"
        yield (
            f"    {day.day}: {known}, {day.quality}; collection {day.collection_id} revision {day.revision},"
            f" {day.collected_at:%Y-%m-%d %H:%M} UTC, run {day.run_id}"
        )
        answers = (f"{sha256[:16]} ({size:,} bytes)" for sha256, size in zip(day.raw, sizes, strict=True))
        yield f"      raw answers: {', '.join(answers)}"
