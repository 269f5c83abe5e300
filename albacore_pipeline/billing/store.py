"""Rates a month: set-based, in one transaction, as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import Month

BOTH = ("first_day", "last_day")
STEPS = (  # the query, the temporary table that it makes, the days that it asks for
    ("cut", "cut", BOTH),
    ("rented", "rented", BOTH),
    ("priced", "priced", BOTH),
    ("spans", "span", ("last_day",)),
    ("measured", "measured", BOTH),
    ("blocked", "blocked", ("first_day",)),
    ("rated", "rated", BOTH),
    ("verdicts", "verdict", ("first_day",)),
)


class NoRegistry(Exception):
    """There is nothing to bill by."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
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


def rate_month(connection: sa.Connection, *, month: Month, run_id: str, now: datetime) -> list[Verdict]:
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
    first = month.first_day
    days = {"first_day": first, "last_day": month.last_day}
    for step, table, needs in STEPS:
        sql(connection, f"billing/{step}", **{name: days[name] for name in needs})
        connection.execute(sa.text(f"analyze {table}"))
    run = sql(
        connection, "billing/open_run", first_day=first, registry_version=registry.version, run_id=run_id, now=now
    ).scalar_one()
    sql(connection, "billing/withdraw")
    sql(connection, "billing/write_months", first_day=first, billing_run_id=run)
    sql(connection, "billing/write_records", first_day=first)
    verdicts = [Verdict(**row) for row in sql(connection, "billing/verdict_rows").mappings()]
    connection.execute(sa.text("drop table " + ", ".join(table for _, table, _ in STEPS)))
    changed = [verdict.customer for verdict in verdicts if verdict.action != "keep"]
    if changed:
        details = {"billing_run": run, "registry_version": registry.version, "customers": changed}
        audit.record(connection, now=now, action="rate_month", subject=str(month), details=details)
    return verdicts


def months_to_bill(connection: sa.Connection, *, now: datetime) -> list[Month]:
    """The months that are over at every site and have something that no rating has seen yet."""
    rows = sql(connection, "billing/months_to_bill", now=now, today=now.date())
    return [Month.of(row.first_day) for row in rows]
