"""Every advisory lock of the platform: who holds it, for how long, and in which order.

A lock is a name; PostgreSQL locks the name's 64-bit hash, so that names need no numbers and don't meet by chance. It
dies with its transaction or its connection, whatever becomes of the process.

| name | held | by whom, for what |
|---|---|---|
| `albacore.migration` | transaction | `migrate`: one at a time, whoever starts it |
| `albacore.dispatch KIND` | session | the outbox: one process sends a kind of effect |
| `albacore.registry` | transaction | a load of the registry: versions follow each other |
| `albacore.billing YYYY-MM` | transaction | the rating of a month |
| `albacore.escalation` | transaction | whoever evaluates debts and enters stages, pauses included |
| `albacore.collection SITE DAY` | transaction | the storing of a site-day: revisions follow each other |
| `albacore.machine_day partition` | transaction | the function `ensure_month`, which makes the partition of a month |
| `albacore.audit` | transaction | the trigger of `audit_event`: the chain of hashes is one |

They are taken in this order, none above one that is held, so that no two can wait for each other. The plan of a load
takes the registry's and then a month's; else a transaction takes one, and the audit's with its entry.

Belongs here: the names, and how they are locked. Does not belong here: row locks (the numbers of documents are counted
under one), which stand in the queries that take them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

_KEY = "hashtextextended(:name, 0)"


@dataclass(frozen=True)
class Lock:
    """A lock by its name."""

    name: str


MIGRATION = Lock("albacore.migration")
REGISTRY = Lock("albacore.registry")
ESCALATION = Lock("albacore.escalation")


def dispatching(kind: str) -> Lock:
    """The sending of effects of a kind."""
    return Lock(f"albacore.dispatch {kind}")


def billing(month: str) -> Lock:
    """The rating of a month, `YYYY-MM`."""
    return Lock(f"albacore.billing {month}")


def site_day(*, site: str, day: date) -> Lock:
    """The storing of a site's day."""
    return Lock(f"albacore.collection {site} {day}")


def hold(connection: sa.Connection, lock: Lock) -> None:
    """Wait for a lock and hold it until the connection's transaction ends."""
    connection.execute(sa.text(f"select pg_advisory_xact_lock({_KEY})"), {"name": lock.name})


@contextmanager
def held_if_free(engine: sa.Engine, lock: Lock) -> Iterator[bool]:
    """Hold a lock across transactions, on a connection of its own; yields whether it was free, and does not wait.

    Raises sqlalchemy.exc.OperationalError at the end when that connection broke, and with it the lock.
    """
    with engine.connect() as connection:
        free = bool(connection.execute(sa.text(f"select pg_try_advisory_lock({_KEY})"), {"name": lock.name}).scalar())
        connection.commit()
        try:
            yield free
        finally:
            if free:
                connection.execute(sa.text(f"select pg_advisory_unlock({_KEY})"), {"name": lock.name})
                connection.commit()
