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
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import queries
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.interface import (
    STATES,
    BulkHandler,
    Effect,
    EffectHandler,
    Later,
    Outcome,
    Succeeded,
)
from albacore_pipeline.periods import Clock

SHORTEST_PAUSE = timedelta(seconds=1)  # whatever the other side asks for: one dispatch never tries twice
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)


def fingerprint(payload: Mapping[str, Any]) -> str:
    """sha256 of a payload's canonical JSON."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def prepare(
    connection: sa.Connection, *, kind: str, business_key: str, payload: Mapping[str, Any], now: datetime
) -> int:
    """Write an intent in the caller's transaction; the same intent again is the same effect.

    Returns the effect's id. Raises ValueError when the key is taken by another payload.
    """
    sha256, content = fingerprint(payload), json.dumps(payload)
    intent = queries.prepare(
        connection, kind=kind, business_key=business_key, payload=content, sha256=sha256, now=now
    ) or queries.prepared(connection, business_key=business_key)
    _refuse_other(business_key, sha256, intent.payload_sha256)
    return intent.effect_id


@dataclass(frozen=True, kw_only=True)
class Intent:
    """An act on the outside world that is to happen once."""

    kind: str
    business_key: str
    payload: Mapping[str, Any]


def prepare_many(connection: sa.Connection, *, intents: Sequence[Intent], now: datetime) -> dict[str, int]:
    """Write intents as `prepare` does one; the effects' ids by business key. Raises ValueError."""
    wanted = {intent.business_key: fingerprint(intent.payload) for intent in intents}
    written = [
        queries.NewIntent(
            kind=intent.kind,
            business_key=intent.business_key,
            payload=dict(intent.payload),
            sha256=wanted[intent.business_key],
        )
        for intent in intents
    ]
    stand = queries.prepare_many(connection, intents=written, now=now) if written else []
    for each in stand:
        _refuse_other(each.business_key, wanted[each.business_key], each.payload_sha256)
    return {each.business_key: each.effect_id for each in stand}


def _refuse_other(business_key: str, sha256: str, stands: str) -> None:
    if stands != sha256:
        raise ValueError(
            f"effect {business_key} exists with another payload: an effect never changes, give it a new key"
        )


def dispatch(*, engine: sa.Engine, handlers: Sequence[EffectHandler], clock: Clock, gate: Gate) -> Counter[str]:
    """Hand everything that is due to its handler, in the handlers' order; returns how many ended in which state.

    A kind that another process is dispatching right now is left to it and counted as `busy`.
    """
    tally: Counter[str] = Counter()
    if not gate.live:
        return tally
    for handler in handlers:
        with locks.held_if_free(engine, locks.dispatching(handler.name)) as free:
            if not free:
                tally["busy"] += 1
                continue
            while effects := _claim(engine, handler=handler, now=clock.now(), gate=gate):
                tally.update(_act(engine, handler=handler, effects=effects, clock=clock))
    return tally


def _claim(engine: sa.Engine, *, handler: EffectHandler, now: datetime, gate: Gate) -> list[Effect]:
    with engine.begin() as connection:
        return queries.claim(connection, kind=handler.name, now=now, live_from=gate.live_from, batch=handler.batch)


def _act(engine: sa.Engine, *, handler: EffectHandler, effects: Sequence[Effect], clock: Clock) -> list[str]:
    outcomes: dict[int, Outcome] = {}
    in_doubt = [effect for effect in effects if effect.in_doubt]
    if in_doubt:
        outcomes |= zip((effect.effect_id for effect in in_doubt), handler.look_up(in_doubt), strict=True)
    to_send = [effect for effect in effects if isinstance(outcomes.get(effect.effect_id, Later("")), Later)]
    if to_send:
        outcomes |= zip((effect.effect_id for effect in to_send), handler.send(to_send), strict=True)
    settled = [(effect, outcomes[effect.effect_id]) for effect in effects]
    for part in [settled] if isinstance(handler, BulkHandler) else [[each] for each in settled]:
        _settle(engine, handler=handler, settled=part, now=clock.now())
    return [STATES[type(outcome)] for _, outcome in settled]


def _settle(
    engine: sa.Engine, *, handler: EffectHandler, settled: Sequence[tuple[Effect, Outcome]], now: datetime
) -> None:
    """End these claims in one transaction, with what it means to the room."""
    with engine.begin() as connection:
        ended = set(queries.settle(connection, ended=[_ended(*each, now=now) for each in settled], now=now))
        ours = [(effect, outcome) for effect, outcome in settled if effect.effect_id in ended]  # else claimed since
        if isinstance(handler, BulkHandler):
            handler.settle_all(connection, settled=ours, now=now)
        else:
            for effect, outcome in ours:
                handler.settle(connection, effect=effect, outcome=outcome, now=now)


def _ended(effect: Effect, outcome: Outcome, *, now: datetime) -> queries.EndedClaim:
    pause = min(FIRST_PAUSE * 2 ** min(effect.attempts - 1, 10), LONGEST_PAUSE)
    if isinstance(outcome, Later) and outcome.after is not None:
        pause = max(outcome.after, SHORTEST_PAUSE)
    return queries.EndedClaim(
        effect_id=effect.effect_id,
        fence=effect.fence,
        state=STATES[type(outcome)],
        next_try_at=now + pause,
        answer=dict(outcome.answer) if isinstance(outcome, Succeeded) else None,
        error=None if isinstance(outcome, Succeeded) else outcome.reason,
    )
