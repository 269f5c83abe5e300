"""The queries of `sql/effects/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.database.rows import Json, as_json, execute, row, row_or_none, rows
from albacore_pipeline.effects.interface import Effect


@dataclass(frozen=True, kw_only=True)
class Intent:
    """An intent under its business key."""

    effect_id: int
    payload_sha256: str


def prepare(
    connection: sa.Connection, *, kind: str, business_key: str, payload: str, sha256: str, now: datetime
) -> Intent | None:
    """Write an intent; None where the key is taken already."""
    return row_or_none(
        connection, "effects/prepare", Intent,
        kind=kind, business_key=business_key, payload=payload, sha256=sha256, now=now,
    )  # fmt: skip


def prepared(connection: sa.Connection, *, business_key: str) -> Intent:
    """The intent under a key that is taken."""
    return row(connection, "effects/prepared", Intent, business_key=business_key)


@dataclass(frozen=True, kw_only=True)
class EndedClaim:
    """What becomes of a claimed effect: its state, when it is tried again if it is not over, and what was answered."""

    effect_id: int
    fence: int
    state: str
    next_try_at: datetime
    answer: Json | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class NewIntent:
    """An intent to be written; `payload` is an object of JSON."""

    kind: str
    business_key: str
    payload: Json
    sha256: str


@dataclass(frozen=True, kw_only=True)
class KeyedIntent:
    """What stands under a business key."""

    business_key: str
    effect_id: int
    payload_sha256: str


def prepare_many(connection: sa.Connection, *, intents: Sequence[NewIntent], now: datetime) -> list[KeyedIntent]:
    """Write intents; what stands under each key then."""
    return rows(connection, "effects/prepare_many", KeyedIntent, intents=as_json(intents), now=now)


def claim(connection: sa.Connection, *, kind: str, now: datetime, live_from: str, batch: int) -> list[Effect]:
    """Claim a batch of effects of a kind that are due."""
    return rows(connection, "effects/claim", Effect, kind=kind, now=now, live_from=live_from, batch=batch)


def settle(connection: sa.Connection, *, ended: Sequence[EndedClaim], now: datetime) -> list[int]:
    """End claims; the effects that another process has not claimed since."""
    return rows(connection, "effects/settle", int, ended=as_json(ended), now=now)


def audit_record(
    connection: sa.Connection, *, now: datetime, actor: str, action: str, subject: str, details: str
) -> int:
    """Append an entry to the chain."""
    return execute(
        connection, "effects/audit_record", now=now, actor=actor, action=action, subject=subject, details=details
    )


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """An entry of the audit chain to be written; `nth` gives the order."""

    nth: int
    actor: str
    action: str
    subject: str
    details: Json


def audit_record_many(connection: sa.Connection, *, entries: Sequence[NewEntry], now: datetime) -> int:
    """Append entries to the chain, in their order."""
    return execute(connection, "effects/audit_record_many", entries=as_json(entries), now=now)


def audit_broken_links(connection: sa.Connection) -> list[int]:
    """The sequence numbers at which the chain does not hold."""
    return rows(connection, "effects/audit_broken_links", int)
