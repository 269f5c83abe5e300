"""What a registry load would change in money, without changing anything: load, rate, look, roll back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.database import sql
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.store import load


def plan_load(engine: sa.Engine, registry: Registry, *, now: datetime) -> Iterator[str]:
    """A line a customer-month that would change, with its difference in kWh and money, and one that sums up."""
    with engine.connect() as connection, connection.begin() as transaction:
        loaded = load(connection, registry, actor="plan", reason="plan", now=now)
        for table, (come, gone) in loaded.changes.items():
            if come or gone:
                yield f"{table}: {come} rows come, {gone} go"
        count = 0
        for row in sql(connection, "billing/rated_months").all():
            month = Month.of(row.month)
            before = {known.customer: known for known in sql(connection, "billing/current_sums", month=month.first_day)}
            for verdict in rate_month(connection, month=month, run_id="plan", now=now):
                known = before.get(verdict.customer)
                if verdict.action == "keep":
                    continue
                count += 1
                if verdict.blocked:
                    yield f"{month} {verdict.customer}: blocked: {verdict.blocked}"
                    continue
                kwh = verdict.kwh - (known.kwh if known else 0)
                amount = verdict.amount - (known.amount if known else 0)
                yield f"{month} {verdict.customer}: {kwh:+,.3f} kWh, {amount:+,.4f} {verdict.currency}"
        yield f"{count} customer-months of rated months would change; nothing was changed"
        transaction.rollback()
