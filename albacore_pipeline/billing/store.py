"""Rates a month: set-based, in one transaction, as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import Month

DAYS = ("first_day", "last_day")
RENTED = (  # the queries that make a temporary table each, and what they ask for; the tables' names below
    ("cut", "cut", DAYS),
    ("rented", "rented", DAYS),
    ("priced", "priced", DAYS),
    ("spans", "span", ("last_day",)),
    ("tolerance", "tolerance", ("first_day",)),
    ("estimable", "estimable", ()),
)
RATED = (
    ("measured", "measured", (*DAYS, "collections")),
    ("hour_prices", "hour_price", DAYS),
    ("blocked", "blocked", ()),
    ("guessed", "guessed", ()),
    ("by_band", "by_band", (*DAYS, "collections")),
    ("by_index", "by_index", (*DAYS, "collections")),
    ("by_tier", "by_tier", ()),
    ("rated", "rated", DAYS),
    ("verdicts", "verdict", ("first_day",)),
)
# A month's sums and hashes fit into memory; spilled to disk, they take twice as long. Small samples do for plans.
MEMORY = "set local work_mem = '128MB'; set local jit = off; set local default_statistics_target = 10"


class NoRegistry(Exception):
    """There is nothing to bill by."""


@dataclass(frozen=True, kw_only=True)
class RatingResult:
    """What became of a customer's month.

    `action` is `open` (a first revision, or one that corrects a document), `rewrite` (no document yet), `withdraw`
    (a correction that is no longer one) or `keep`; `blocked` says why it can't be rated, else is empty.
    """

    customer: str
    action: str
    revision: int
    blocked: str | None
    currency: str | None
    amount: Decimal
    kwh: Decimal


def rate_month(connection: sa.Connection, *, month: Month, run_id: str, now: datetime) -> list[RatingResult]:
    """Rate every customer's month by the accepted collections and the registry in force, in the caller's transaction.

    A customer-month with a document is never touched: where the rating differs from it, a new revision stands beside
    it. Raises NoRegistry.
    """
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtext('albacore.billing ' || :month))"), {"month": str(month)}
    )
    registry = sql(connection, "registry/newest_version").one_or_none()
    if registry is None:
        raise NoRegistry("no registry is loaded: albacore registry load DIR")
    connection.exec_driver_sql(MEMORY)
    values: dict[str, Any] = {"first_day": month.first_day, "last_day": month.last_day}
    _make_tables(connection, RENTED, values)
    values["collections"] = [row.collection_id for row in connection.execute(sa.text("select collection_id from cut"))]
    run = sql(
        connection,
        "billing/open_run",
        first_day=month.first_day,
        registry_version=registry.version,
        run_id=run_id,
        now=now,
    ).scalar_one()
    sql(connection, "billing/end_estimates", billing_run_id=run, **_picked(values, DAYS))
    sql(connection, "billing/begin_estimates", billing_run_id=run)
    _make_tables(connection, RATED, values)
    sql(connection, "billing/withdraw")
    sql(connection, "billing/write_months", first_day=month.first_day, billing_run_id=run)
    sql(connection, "billing/write_records", first_day=month.first_day)
    sql(connection, "billing/hold_for_review", first_day=month.first_day)
    sql(connection, "billing/name_changes", first_day=month.first_day)
    verdicts = [RatingResult(**row) for row in sql(connection, "billing/verdict_rows").mappings()]
    connection.execute(sa.text("drop table " + ", ".join(table for _, table, _ in RENTED + RATED)))
    changed = [verdict.customer for verdict in verdicts if verdict.action != "keep"]
    if changed:
        details = {"billing_run": run, "registry_version": registry.version, "customers": changed}
        audit.record(connection, now=now, action="rate_month", subject=str(month), details=details)
    return verdicts


def _make_tables(
    connection: sa.Connection, steps: Sequence[tuple[str, str, Sequence[str]]], values: Mapping[str, Any]
) -> None:
    """Run the queries in turn; each table is analysed, for the next query to be planned by what is really there."""
    for step, table, needs in steps:
        sql(connection, f"billing/{step}", **_picked(values, needs))
        connection.execute(sa.text(f"analyze {table}"))


def _picked(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def months_to_bill(connection: sa.Connection, *, now: datetime) -> list[Month]:
    """The months that are over at every site and have something that no rating has seen yet."""
    rows = sql(connection, "billing/months_to_bill", now=now, today=now.date())
    return [Month.of(row.first_day) for row in rows]
