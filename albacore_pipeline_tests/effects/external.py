"""An outside world for the outbox: a file of a line an act, and handlers that act on it, also in a process of its own.

Run as a module it delivers until it has acted `nth` times and then kills itself, before or after that act:
`python -m albacore_pipeline_tests.effects.external URL WORLD before|after NTH`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.database import connect
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.interface import Effect, Later, Outcome, Succeeded
from albacore_pipeline.effects.outbox import dispatch, prepare
from albacore_pipeline_tests.clocks import FrozenClock, utc

NOW = utc("2025-11-01T06:00")
LIVE = Gate(live=True)


@dataclass(kw_only=True)
class World:
    """What really happened outside, one key a line."""

    path: Path

    def act(self, key: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{key}\n")

    def acts(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


@dataclass(kw_only=True)
class WorldHandler:
    """Acts on the world; `before` and `after` are called around the n-th act."""

    world: World
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    name: str = "test"
    batch: int = 3
    acted: int = 0

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        return [self._act(effect) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        there = self.world.acts()
        return [
            Succeeded({"found": True}) if effect.business_key in there else Later("it never happened")
            for effect in effects
        ]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        pass

    def _act(self, effect: Effect) -> Outcome:
        self.acted += 1
        self.before(self.acted)
        self.world.act(effect.business_key)
        self.after(self.acted)
        return Succeeded({"found": False})


@dataclass(kw_only=True)
class ScriptedHandler:
    """Gives the outcomes it was told to give, and remembers what it was asked and what was settled."""

    sends: list[Outcome] = field(default_factory=list)
    look_ups: list[Outcome] = field(default_factory=list)
    name: str = "test"
    batch: int = 10
    asked: list[str] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        self.asked += ["send" for _ in effects]
        return [self.sends.pop(0) for _ in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        self.asked += ["look up" for _ in effects]
        return [self.look_ups.pop(0) for _ in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        self.settled.append(outcome)


def intend(engine: sa.Engine, *keys: str, kind: str = "test", month: str | None = None) -> None:
    with engine.begin() as connection:
        for key in keys:
            payload = {"key": key} | ({"month": month} if month else {})
            prepare(connection, kind=kind, business_key=key, payload=payload, now=NOW)


def states(engine: sa.Engine) -> dict[str, str]:
    """The state of every effect by its key."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("select business_key, state from albacore.effect order by effect_id"))
        return {row.business_key: row.state for row in rows}


def dispatch_until_free(engine: sa.Engine, handler: WorldHandler, clock: FrozenClock) -> None:
    """Deliver; where a process that died a moment ago still holds the lock, until the server has noticed."""
    while dispatch(engine=engine, handlers=[handler], clock=clock, gate=LIVE)["busy"]:
        pass


def main(url: str, path: str, when: str, nth: str) -> None:
    """Deliver and die."""

    def die(count: int) -> None:
        if count == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    world = World(path=Path(path))
    handler = WorldHandler(world=world, before=die) if when == "before" else WorldHandler(world=world, after=die)
    dispatch(engine=connect(url), handlers=[handler], clock=FrozenClock(NOW), gate=LIVE)


if __name__ == "__main__":
    main(*sys.argv[1:])
