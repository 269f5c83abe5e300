"""The world's clock: the machine's own time, moved back by an offset that is kept in a file.

Belongs here: reading the time, moving it forward, and writing the offset. Nothing else in the sandbox asks the system.
Does not belong here: anything that happens because time has passed; that is derived from the time where it matters.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

BEGINNING = datetime(2025, 10, 1, tzinfo=UTC)  # where a new world starts


def iso(seconds: float) -> str:
    """An instant, seconds since the epoch, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def instant(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 instant or date; without an offset it is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


class WorldClock:
    """Runs on at the usual pace, moves forward only and never passes the machine's own time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists():
            self._offset = min(0.0, float(json.loads(path.read_text())["offset_seconds"]))
        else:
            self._keep(min(0.0, BEGINNING.timestamp() - time.time()))

    def now(self) -> float:
        """The present instant in seconds since the epoch."""
        return time.time() + self._offset

    def now_ms(self) -> int:
        """The present instant in whole milliseconds since the epoch."""
        return int(self.now() * 1000)

    def today(self) -> str:
        """The present day in UTC as ISO date."""
        return iso(self.now())[:10]

    def move_to(self, seconds: float) -> None:
        """Move forward to an instant, at most to the machine's own time. Raises ValueError for an earlier instant."""
        if seconds < self.now():
            raise ValueError(f"the clock stands at {iso(self.now())} and only moves forward: name a later instant")
        self._keep(min(0.0, seconds - time.time()))

    def _keep(self, offset: float) -> None:
        self._offset = offset
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"offset_seconds": offset}))
        draft.replace(self._path)
