"""What a registry load would change in money, without changing anything: load, rate, look, roll back.

Each month is looked at in a transaction of its own, so that no lock is held longer than one rating takes. Differences
are against what is billed now, so that a corrected day that no rating has seen yet is in them too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.queries import RatingResult
from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.store import load


@dataclass(frozen=True, kw_only=True)
class MonthChange:
    """A customer's month that a load would change. `follows` says which document comes of it."""

    month: Month
    customer: str
    currency: str
    kwh: Decimal
    amount: Decimal
    blocked: str | None
    follows: str

    def __str__(self) -> str:
        if self.blocked:
            return f"{self.month} {self.customer}: blocked: {self.blocked}"
        return (
            f"{self.month} {self.customer}: {self.kwh:+,.3f} kWh, {self.amount:+,.4f} {self.currency}, {self.follows}"
        )


def plan_load(engine: sa.Engine, registry: Registry, *, now: datetime) -> Iterator[str]:
    """A line for each table and each customer-month that would change, and lines that sum up."""
    with _rolled_back(engine) as connection:
        loaded = load(connection, registry, actor="plan", reason="plan", now=now)
        months = [Month.of(first) for first in queries.touched_months(connection, version=loaded.version)]
    if not loaded.changes:
        yield f"nothing new: this is version {loaded.version}, which is in force"
        return
    yield from (
        f"{table}: {added} rows added, {removed} removed"
        for table, (added, removed) in loaded.changes.items()
        if added or removed
    )
    yield f"{len(months)} of the months that were rated have days that change"
    changes = []
    for month in months:
        with _rolled_back(engine) as connection:
            load(connection, registry, actor="plan", reason="plan", now=now)
            found = list(_changes(connection, month=month, now=now))
        changes += found
        yield from map(str, found)
    yield from _totals(changes)


@contextmanager
def _rolled_back(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def _changes(connection: sa.Connection, *, month: Month, now: datetime) -> Iterator[MonthChange]:
    before = {row.customer: row for row in queries.current_sums(connection, month=month.first_day)}
    for result in rate_month(connection, month=month, run_id="plan", now=now):
        if result.action == "keep":
            continue
        known = before.get(result.customer)
        kwh = result.kwh - (known.kwh if known else 0)
        amount = result.amount - (known.amount if known else 0)
        if kwh or amount or result.blocked:  # else the records are cut on other days and come to the same
            yield MonthChange(
                month=month,
                customer=result.customer,
                currency=result.currency or "",
                kwh=kwh,
                amount=amount,
                blocked=result.blocked,
                follows=_follows(result, known.documented if known else None),
            )


def _follows(result: RatingResult, documented: Decimal | None) -> str:
    """Small corrections may be carried to the next invoice instead, as the customer's policy says."""
    if result.blocked:
        return "blocked"
    if documented is None:
        return "no document yet"
    if result.amount == documented:
        return "no document follows"
    return "a credit note follows" if result.amount < documented else "a supplement follows"


def _totals(changes: Iterable[MonthChange]) -> Iterator[str]:
    """A line for each currency, and one for all."""
    by_currency: defaultdict[str, list[MonthChange]] = defaultdict(list)
    for change in changes:
        by_currency[change.currency if not change.blocked else ""].append(change)
    blocked = len(by_currency.pop("", ()))
    for currency, rows in sorted(by_currency.items()):
        kwh, amount = sum((row.kwh for row in rows), Decimal(0)), sum((row.amount for row in rows), Decimal(0))
        outcomes = ", ".join(
            f"{count} x {outcome}" for outcome, count in sorted(Counter(r.follows for r in rows).items())
        )
        yield f"{currency} in all: {kwh:+,.3f} kWh, {amount:+,.4f} {currency}; {outcomes}"
    count = blocked + sum(map(len, by_currency.values()))
    yield f"{count} customer-months would change, {blocked} of them blocked; nothing was changed"
