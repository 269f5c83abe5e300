"""The chain of what was done, by whom; append-only, each entry hashed over all before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.effects import queries

PIPELINE = "pipeline"  # the actor of what nobody asked for by hand


def record(
    connection: sa.Connection,
    *,
    now: datetime,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    actor: str = PIPELINE,
) -> None:
    """Append an entry in the caller's transaction. Takes the chain's lock: record last in a transaction."""
    written = json.dumps(details, default=str)
    queries.audit_record(connection, now=now, actor=actor, action=action, subject=subject, details=written)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was done to what, with everything that belongs to it."""

    action: str
    subject: str
    details: Mapping[str, Any]
    actor: str = PIPELINE


def record_many(connection: sa.Connection, *, entries: Sequence[Entry], now: datetime) -> None:
    """Append entries in the caller's transaction, as `record` does one."""
    written = [
        queries.NewEntry(
            nth=nth, actor=entry.actor, action=entry.action, subject=entry.subject, details=dict(entry.details)
        )
        for nth, entry in enumerate(entries)
    ]
    if written:
        queries.audit_record_many(connection, entries=written, now=now)


def broken_links(connection: sa.Connection) -> list[int]:
    """The sequence numbers at which the chain does not hold; empty is good."""
    return queries.audit_broken_links(connection)
