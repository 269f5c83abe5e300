"""Commands that the journal knows and the database lacks, because it was put back to an older state: they are adopted.

So a machine that we switched off stays ours, and runs again when nothing stands against it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.journal import Journal
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import by_ticket

POWER = "power"
PAUSED, RESUMED = "pause", "resume"
OVERLAP = timedelta(seconds=1)


def adopt(*, engine: sa.Engine, journal: Journal) -> list[str]:
    """Write the commands that the database lacks; the machines as `site machine`."""
    adopted = []
    with engine.begin() as connection:
        last = queries.last_commanded(connection)
        entries = journal.since(POWER, last - OVERLAP if last else None)
        if not entries:
            return []
        locks.hold(connection, locks.ESCALATION)
        for entry in entries:
            action: Literal["pause", "resume"] = "pause" if entry.kind == PAUSED else "resume"
            site, machine = str(entry.facts["site"]), str(entry.facts["machine"])
            at = datetime.fromisoformat(str(entry.facts["at"]))
            written = queries.adopt_command(
                connection, site=site, machine=machine, customer=str(entry.facts["customer"]), action=action,
                at=at, by_ticket=by_ticket(site),
            )  # fmt: skip
            if written is not None:
                adopted.append(f"{site} {machine}")
                details = {"action": action, "at": at}
                audit.record(
                    connection, now=journal.clock.now(), action="adopt_command", subject=adopted[-1], details=details
                )
    return adopted
