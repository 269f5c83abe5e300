"""Commands that the journal knows and the database lacks, because it was put back to an older state: they are adopted.

So a machine that we switched off stays ours, and runs again when nothing stands against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.journal import Entry, Journal
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import by_ticket
from albacore_pipeline.machine_power.queries import Action

POWER = "power"
OVERLAP = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Commanded:
    """A command as the journal has it."""

    action: Action
    site: str
    machine: str
    customer: str
    at: datetime


def lacking(connection: sa.Connection, *, journal: Journal) -> list[Commanded]:
    """The commands of the journal that the database does not know, in order."""
    last = queries.last_commanded(connection)
    entries = journal.since(POWER, last - OVERLAP if last else None)
    found = map(_read, entries)
    return [
        each
        for each in found
        if not queries.is_known(connection, site=each.site, machine=each.machine, action=each.action, at=each.at)
    ]


def _read(entry: Entry) -> Commanded:
    return Commanded(
        action="pause" if entry.kind == "pause" else "resume",
        site=str(entry.facts["site"]),
        machine=str(entry.facts["machine"]),
        customer=str(entry.facts["customer"]),
        at=datetime.fromisoformat(str(entry.facts["at"])),
    )


def adopt(*, engine: sa.Engine, journal: Journal) -> list[str]:
    """Write the commands that the database lacks; the machines as `site machine`."""
    adopted = []
    with engine.begin() as connection:
        if not lacking(connection, journal=journal):
            return []
        locks.hold(connection, locks.ESCALATION)
        for each in lacking(connection, journal=journal):
            queries.adopt_command(
                connection, site=each.site, machine=each.machine, customer=each.customer, action=each.action,
                at=each.at, by_ticket=by_ticket(each.site),
            )  # fmt: skip
            name = f"{each.site} {each.machine}"
            details = {"action": each.action, "at": each.at}
            audit.record(connection, now=journal.clock.now(), action="adopt_command", subject=name, details=details)
            adopted.append(name)
    return adopted
