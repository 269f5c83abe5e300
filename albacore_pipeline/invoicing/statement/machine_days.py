"""The machine-days behind a document as CSV, for the customer's own arithmetic. The PDF is `pdf.py`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import sqlalchemy as sa

from albacore_pipeline.invoicing.statement import queries
from albacore_pipeline.invoicing.statement.queries import BilledDay

COLUMNS = ("site", "machine", "day", "kwh", "hours_expected", "hours_measured", "hours_estimated", "quality")


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def statement_csv(rows: Iterable[BilledDay]) -> bytes:
    """The rows of `COLUMNS` as CSV in UTF-8; equal rows give equal bytes."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        hours = (row.hours_expected, row.hours_measured, row.hours_estimated)
        writer.writerow([neutral(row.site), neutral(row.machine), row.day, row.kwh, *hours, row.quality])
    return buffer.getvalue().encode()


def statement_of(connection: sa.Connection, *, customer_month_id: int) -> bytes:
    """The machine-days of a customer-month's revision; what nobody knows is empty."""
    return statement_csv(queries.days(connection, ids=[customer_month_id]))
