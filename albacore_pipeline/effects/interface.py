"""What the outbox and the handlers of effects tell each other: a claimed effect, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from albacore_pipeline.database.rows import Json


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A claimed effect. `attempts` counts this claim too; `in_doubt`: an earlier attempt may have worked."""

    effect_id: int
    kind: str
    business_key: str
    payload: Json
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


@runtime_checkable
class BulkHandler(EffectHandler, Protocol):
    """A handler whose effects can be looked up, so that a batch of them may be settled, or stay in doubt, as one."""

    def settle_all(
        self, connection: sa.Connection, *, settled: Sequence[tuple[Effect, Outcome]], now: datetime
    ) -> None:
        """As `settle`, for all of them in one transaction."""
