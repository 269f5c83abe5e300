"""Rates a month: set-based, in one transaction, as often as one likes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.queries import RatingResult
from albacore_pipeline.billing.rating.run import drop_tables, run_steps
from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.store import version_in_force


class NoRegistry(Exception):
    """There is nothing to bill by."""


def rate_month(connection: sa.Connection, *, month: Month, run_id: str, now: datetime) -> list[RatingResult]:
    """Rate every customer's month by the accepted collections and the registry in force, in the caller's transaction.

    A customer-month with a document is never touched: where the rating differs from it, a new revision stands beside
    it. Raises NoRegistry.
    """
    locks.hold(connection, locks.billing(str(month)))
    registry_version = version_in_force(connection)
    if registry_version is None:
        raise NoRegistry("no registry is loaded: albacore registry load DIR")
    billing_run_id, results = run_steps(
        connection, month=month, registry_version=registry_version, run_id=run_id, now=now
    )
    drop_tables(connection)
    changed = [result.customer for result in results if result.action != "keep"]
    if changed:
        details = {"billing_run": billing_run_id, "registry_version": registry_version, "customers": changed}
        audit.record(connection, now=now, action="rate_month", subject=str(month), details=details)
    return results


def months_to_bill(connection: sa.Connection, *, now: datetime) -> list[Month]:
    """The months that are over at every site and have something that no rating has seen yet."""
    return [Month.of(first_day) for first_day in queries.months_to_bill(connection, now=now, today=now.date())]
