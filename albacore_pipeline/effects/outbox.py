"""The outbox: a committed intent, a claim, the act, and its settling.

    prepare -> claim (state `sending`, committed) -> send -> settle (done, parked, cancelled)
                                                          or unknown: look up, then settle or send again

Killing the process anywhere leaves `prepared` (nothing went out) or `sending` (perhaps it did, as with `unknown`): the
next delivery looks up what is in doubt before it sends again. One process delivers a kind at a time: it holds a
PostgreSQL advisory lock, which dies
with its connection, so a row in `sending` that can be claimed belongs to nobody alive. The fence refuses a settle by
a process that lost its claim all the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.periods import Clock

SHORTEST_PAUSE = timedelta(seconds=1)  # whatever the other side asks for: one delivery never tries twice
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A claimed effect. `attempts` counts this claim too; `in_doubt`: an earlier attempt may have worked."""

    effect_id: int
    kind: str
    business_key: str
    payload: Mapping[str, Any]
    attempts: int
    fence: int
    in_doubt: bool


@dataclass(frozen=True)
class Done:
    """It happened; `answer` is what the other side said."""

    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Later:
    """It certainly has not happened; try again, not before `after` (default: a growing pause)."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True)
class Unknown:
    """It may have happened; look up before anything else."""

    reason: str


@dataclass(frozen=True)
class Parked:
    """It did not happen and will not without a person."""

    reason: str


@dataclass(frozen=True)
class Cancelled:
    """It is no longer wanted; nothing was sent."""

    reason: str


Outcome = Done | Later | Unknown | Parked | Cancelled

STATES: dict[type[Outcome], str] = {
    Done: "done",
    Later: "prepared",
    Unknown: "unknown",
    Parked: "parked",
    Cancelled: "cancelled",
}


class Kind(Protocol):
    """How one kind of effect is acted out."""

    name: str
    batch: int

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Act, one outcome an effect, in order."""

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Find out whether an earlier attempt worked.

        `Done` if so, `Later` if it certainly did not and may be sent now, `Unknown` if nobody can say.
        """

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Write what the outcome means to the room, in the transaction that settles the effect."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Whether anything leaves at all; effects of months before `live_from` (`YYYY-MM`) never do."""

    live: bool
    live_from: str = ""


def fingerprint(payload: Mapping[str, Any]) -> str:
    """sha256 of a payload's canonical JSON."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def prepare(
    connection: sa.Connection, *, kind: str, business_key: str, payload: Mapping[str, Any], now: datetime
) -> int:
    """Write an intent in the caller's transaction; the same intent again is the same effect.

    Returns the effect's id. Raises ValueError when the key is taken by another payload.
    """
    sha256 = fingerprint(payload)
    parameters = {
        "kind": kind,
        "business_key": business_key,
        "payload": json.dumps(payload),
        "sha256": sha256,
        "now": now,
    }
    row = sql(connection, "effects/prepare", **parameters).one()
    if row.payload_sha256 != sha256:
        raise ValueError(
            f"effect {business_key} exists with another payload: an effect never changes, give it a new key"
        )
    return int(row.effect_id)


def deliver(*, engine: sa.Engine, kinds: Sequence[Kind], clock: Clock, gate: Gate) -> Counter[str]:
    """Act out everything that is due, kind after kind in the given order; returns how many ended in which state.

    A kind that another process is delivering right now is left to it and counted as `busy`.
    """
    tally: Counter[str] = Counter()
    if not gate.live:
        return tally
    for kind in kinds:
        with engine.connect() as lock:
            if not lock.execute(sa.text("select pg_try_advisory_lock(hashtext(:name))"), {"name": kind.name}).scalar():
                tally["busy"] += 1
                continue
            lock.commit()
            try:
                while effects := _claim(engine, kind=kind, now=clock.now(), gate=gate):
                    tally.update(_act(engine, kind=kind, effects=effects, clock=clock))
            finally:
                lock.execute(sa.text("select pg_advisory_unlock(hashtext(:name))"), {"name": kind.name})
                lock.commit()
    return tally


def _claim(engine: sa.Engine, *, kind: Kind, now: datetime, gate: Gate) -> list[Effect]:
    with engine.begin() as connection:
        rows = sql(connection, "effects/claim", kind=kind.name, now=now, batch=kind.batch, live_from=gate.live_from)
        return [Effect(**row) for row in rows.mappings()]


def _act(engine: sa.Engine, *, kind: Kind, effects: Sequence[Effect], clock: Clock) -> list[str]:
    outcomes: dict[int, Outcome] = {}
    in_doubt = [effect for effect in effects if effect.in_doubt]
    if in_doubt:
        outcomes |= zip((effect.effect_id for effect in in_doubt), kind.look_up(in_doubt), strict=True)
    to_send = [effect for effect in effects if isinstance(outcomes.get(effect.effect_id, Later("")), Later)]
    if to_send:
        outcomes |= zip((effect.effect_id for effect in to_send), kind.send(to_send), strict=True)
    for effect in effects:
        _settle(engine, kind=kind, effect=effect, outcome=outcomes[effect.effect_id], now=clock.now())
    return [STATES[type(outcomes[effect.effect_id])] for effect in effects]


def _settle(engine: sa.Engine, *, kind: Kind, effect: Effect, outcome: Outcome, now: datetime) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(effect.attempts - 1, 10), LONGEST_PAUSE)
    if isinstance(outcome, Later) and outcome.after is not None:
        pause = max(outcome.after, SHORTEST_PAUSE)
    with engine.begin() as connection:
        settled = sql(
            connection,
            "effects/settle",
            effect_id=effect.effect_id,
            fence=effect.fence,
            state=STATES[type(outcome)],
            now=now,
            next_try_at=now + pause,
            answer=json.dumps(outcome.answer) if isinstance(outcome, Done) else None,
            error=None if isinstance(outcome, Done) else outcome.reason,
        ).rowcount
        if settled:  # else another process has claimed it since, and settles it
            kind.settle(connection, effect=effect, outcome=outcome, now=now)
