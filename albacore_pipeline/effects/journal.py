"""What was done outside, noted beside the database as it happens: mails that left and machines that were commanded.

A database that is restored from a backup does not know what happened since; its journal does. Entries are added only.

Belongs here: writing and reading entries. Does not belong here: what follows from one that the database lacks.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from albacore_pipeline.archive import Archive
from albacore_pipeline.database.rows import Json
from albacore_pipeline.periods import Clock


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was done at an instant; `name` is the entry's own."""

    name: str
    at: datetime
    kind: str
    facts: Json


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The journals of a world: `power`, `mail`."""

    archive: Archive
    clock: Clock

    def note(self, journal: str, kind: str, facts: Mapping[str, object]) -> None:
        """Add an entry; when this returns, it is kept."""
        at = self.clock.now()
        content = {"at": at.isoformat(), "kind": kind, "facts": dict(facts)}
        self.archive.append(journal, f"{_stamp(at)}-{uuid.uuid4().hex[:8]}", json.dumps(content).encode())

    def since(self, journal: str, instant: datetime | None) -> list[Entry]:
        """The entries of a journal from an instant on, in order; all of them where there is none."""
        found = self.archive.entries(journal, since=_stamp(instant) if instant else "")
        return [_read(name, content) for name, content in found]


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S%f}"


def _read(name: str, content: bytes) -> Entry:
    read = json.loads(content)
    return Entry(name=name, at=datetime.fromisoformat(read["at"]), kind=read["kind"], facts=read["facts"])
