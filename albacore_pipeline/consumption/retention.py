"""How long the sites' raw answers are kept.

An answer may go when it came more than ALBACORE_ARCHIVE_DAYS ago and nothing rests on it any more. Something does rest
on it while a collection that names it was read within those days; while an invoice, a credit note or a supplement that
was issued within those days stands on such a collection, however old the reading is; and while such a collection counts
and has not been billed, or waits for a person. So an invoice can be explained down to the wire for that many days after
its own date, at least. What is deleted is answers alone: collections, machine-days, statements and month reports stay.

Belongs here: that rule. Does not belong here: files (`archive.py`), and when it runs (`jobs.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from albacore_pipeline.consumption import queries
from albacore_pipeline.effects import audit


class RawArchive(Protocol):
    """Where raw answers are kept."""

    def raw_before(self, instant: datetime) -> list[str]:
        """The sha256 of every raw answer that was put away before an instant."""

    def delete_raw(self, sha: str) -> None:
        """Delete a raw answer."""


def prune(*, engine: sa.Engine, archive: RawArchive, days: int, now: datetime) -> int:
    """Delete the raw answers that may go, and say so in the audit chain; returns how many went."""
    since = now - timedelta(days=days)
    old = archive.raw_before(since)
    with engine.begin() as connection:
        needed = set(queries.needed_answers(connection, since=since))
        deletable = [sha for sha in old if sha not in needed]
        if deletable:
            details = {"answers": len(deletable), "older than": since, "days": days}
            audit.record(connection, now=now, action="prune_archive", subject="raw answers", details=details)
    for sha in deletable:
        archive.delete_raw(sha)
    return len(deletable)
