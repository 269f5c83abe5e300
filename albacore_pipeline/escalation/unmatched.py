"""Money that we hold and can't set against anything by ourselves: it holds the chain until a person has looked."""

from __future__ import annotations

from datetime import UTC, datetime, time

import sqlalchemy as sa

from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.holds import place_hold
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks
from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.stages import FINANCE

BUSINESS_DAYS = 10  # then a person has decided, or the chain goes on and its notices name the money


def hold(connection: sa.Connection, *, now: datetime) -> list[str]:
    """Hold the chain of each customer with such money, once for each amount; returns the customers."""
    held = []
    for money in queries.unmatched_money(connection, now=now):
        until = datetime.combine(
            add_business_days(day=now.date(), count=BUSINESS_DAYS, country=money.country), time(), UTC
        )
        words = f"{money.kind} of {money.remaining:.2f} {money.currency} in Xero ({money.xero_id})"
        place_hold(
            connection, customer=money.customer, number=None, kind="unapplied",
            reason=f"{words} can't be set against what is owed", owner=FINANCE, until_at=until, now=now,
        )  # fmt: skip
        task = Task(
            subject=f"money of {money.customer} that nobody has applied",
            what=f"See in Xero whose the {words} is, and set it against what he owes, or give it back.",
            why="It is in another currency, at another entity of ours, or on a contact of several customers.",
            due_by=until,
            ways_on=(
                WayOn(
                    words="When it is decided",
                    job="release_hold",
                    form=(("customer", money.customer), ("kind", "unapplied")),
                ),
            ),
        )
        open_tasks(
            connection,
            tasks=[
                OwnedTask(
                    key=f"unapplied:{money.xero_id}:{money.customer}", owner=FINANCE, customer=money.customer, task=task
                )
            ],
            now=now,
        )
        held.append(money.customer)
    return held
