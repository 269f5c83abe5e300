"""What must be true of a rated world, asked of `verify`'s own doors, and what writing documents does to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from albacore_pipeline.invoicing import queries as invoicing
from albacore_pipeline.oversight import queries as oversight
from albacore_pipeline_tests.small_world import NOW, ask


def breaks(connection: sa.Connection, *, first: date, last: date) -> Sequence[object]:
    """Every broken invariant of energy, by the watt-hour; empty is good."""
    return [
        *oversight.conservation(connection, first_day=first, last_day=last),
        *oversight.records_against_days(connection, first_day=first, last_day=last),
        *oversight.content_against_hash(connection, first_day=first, last_day=last),
        *oversight.hours_against_days(connection, first_day=first, last_day=last),
    ]


def freeze_ready(connection: sa.Connection, *, documented: bool = False) -> None:
    """What writing a document does to the customer-months that are ready."""
    ready = "select customer_month_id from albacore.customer_month where state = 'ready' and frozen_at is null"
    ids = [number for (number,) in ask(connection, ready)]
    invoicing.freeze(connection, ids=ids, documented=documented, now=NOW)
