"""A clock that stands still until a test moves it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FrozenClock:
    """Stands at `at`, aware, in UTC."""

    at: datetime

    def now(self) -> datetime:
        """The instant at which it stands."""
        return self.at

    def advance(self, **span: float) -> datetime:
        """Move on by a timedelta's keywords, `advance(days=1, hours=2)`; returns the new instant."""
        self.at += timedelta(**span)
        return self.at


def utc(text: str) -> datetime:
    """`2025-11-03` or `2025-11-03T08:00` as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
