"""The outbox: a committed intent, a claim, the act, and its settling.

    prepare -> claim (state `sending`, committed) -> send -> settle (done, parked, cancelled)
                                                          or unknown: look up, then settle or send again

This is the transactional outbox: `prepare` writes the intent in the transaction that needs it, `dispatch` hands what is
due to the handler of its kind. Killing the process anywhere leaves `prepared` (nothing went out) or `sending` (perhaps
it did, as with `unknown`): the next dispatch looks up what is in doubt before it sends again. One process dispatches a
kind at a time: it holds a PostgreSQL advisory lock, which dies with its connection, so a row in `sending` that can be
claimed belongs to nobody alive. The fence refuses a settle by a process that lost its claim all the same.
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
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.periods import Clock

SHORTEST_PAUSE = timedelta(seconds=1)  # whatever the other side asks for: one dispatch never tries twice
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
class Succeeded:
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


Outcome = Succeeded | Later | Unknown | Parked | Cancelled

STATES: dict[type[Outcome], str] = {
    Succeeded: "done",
    Later: "prepared",
    Unknown: "unknown",
    Parked: "parked",
    Cancelled: "cancelled",
}


class EffectHandler(Protocol):
    """How effects of one kind, that of its `name`, are sent, looked up and settled."""

    name: str
    batch: int

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Act, one outcome an effect, in order."""

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Find out whether an earlier attempt worked.

        `Succeeded` if so, `Later` if it certainly did not and may be sent now, `Unknown` if nobody can say.
        """

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Write what the outcome means to the room, in the transaction that settles the effect."""


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


def dispatch(*, engine: sa.Engine, handlers: Sequence[EffectHandler], clock: Clock, gate: Gate) -> Counter[str]:
    """Hand everything that is due to its handler, in the handlers' order; returns how many ended in which state.

    A kind that another process is dispatching right now is left to it and counted as `busy`.
    """
    tally: Counter[str] = Counter()
    if not gate.live:
        return tally
    for handler in handlers:
        with engine.connect() as lock:
            if not lock.execute(
                sa.text("select pg_try_advisory_lock(hashtext(:name))"), {"name": handler.name}
            ).scalar():
                tally["busy"] += 1
                continue
            lock.commit()
            try:
                while effects := _claim(engine, handler=handler, now=clock.now(), gate=gate):
                    tally.update(_act(engine, handler=handler, effects=effects, clock=clock))
            finally:
                lock.execute(sa.text("select pg_advisory_unlock(hashtext(:name))"), {"name": handler.name})
                lock.commit()
    return tally


def _claim(engine: sa.Engine, *, handler: EffectHandler, now: datetime, gate: Gate) -> list[Effect]:
    with engine.begin() as connection:
        rows = sql(
            connection, "effects/claim", kind=handler.name, now=now, batch=handler.batch, live_from=gate.live_from
        )
        return [Effect(**row) for row in rows.mappings()]


def _act(engine: sa.Engine, *, handler: EffectHandler, effects: Sequence[Effect], clock: Clock) -> list[str]:
    outcomes: dict[int, Outcome] = {}
    in_doubt = [effect for effect in effects if effect.in_doubt]
    if in_doubt:
        outcomes |= zip((effect.effect_id for effect in in_doubt), handler.look_up(in_doubt), strict=True)
    to_send = [effect for effect in effects if isinstance(outcomes.get(effect.effect_id, Later("")), Later)]
    if to_send:
        outcomes |= zip((effect.effect_id for effect in to_send), handler.send(to_send), strict=True)
    for effect in effects:
        _settle(engine, handler=handler, effect=effect, outcome=outcomes[effect.effect_id], now=clock.now())
    return [STATES[type(outcomes[effect.effect_id])] for effect in effects]


def _settle(engine: sa.Engine, *, handler: EffectHandler, effect: Effect, outcome: Outcome, now: datetime) -> None:
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
            answer=json.dumps(outcome.answer) if isinstance(outcome, Succeeded) else None,
            error=None if isinstance(outcome, Succeeded) else outcome.reason,
        ).rowcount
        if settled:  # else another process has claimed it since, and settles it
            handler.settle(connection, effect=effect, outcome=outcome, now=now)
