"""The power state of every machine that was commanded and not verified then: read again with each run.

Resumes are read by their own handler; what is left for here are pauses of which nobody knew what became of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.effects import audit
from albacore_pipeline.machine_power import queries, sites
from albacore_pipeline.machine_power.controls import WANTED, Controls
from albacore_pipeline.machine_power.pausing import AT_ONCE
from albacore_pipeline.machine_power.queries import Reading, SentCommand
from albacore_pipeline.periods import Clock


def read_back(*, engine: sa.Engine, controls: Controls, clock: Clock) -> tuple[list[str], list[str]]:
    """Read the state of each machine once; the verified and the still unverified as `site machine`.

    A machine that is read to be on after its pause did not obey: pausing at its site stops. Those of sites without an
    interface wait for a person's word.
    """
    with engine.connect() as connection:
        pending = [row for row in queries.unverified(connection) if controls.mailbox(row.site) is None]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        states = list(pool.map(lambda row: controls.state(row.site, row.machine), pending))
    with engine.begin() as connection:
        now = clock.now()
        for row, state in zip(pending, states, strict=True):
            if isinstance(state, PowerState):  # else it stays among those that are not verified
                _note(connection, row, state, now=now)
    verified = [
        _name(row) for row, state in zip(pending, states, strict=True) if state is WANTED[row.action]
    ]  # fmt: skip
    return verified, [_name(row) for row in pending if _name(row) not in verified]


def _note(connection: sa.Connection, row: SentCommand, state: PowerState, *, now: datetime) -> None:
    queries.note_readings(connection, readings=[Reading(command_id=row.command_id, state=state)], now=now)
    if state is WANTED[row.action]:
        details = {"action": row.action, "customer": row.customer}
        audit.record(connection, now=now, action="read_back", subject=_name(row), details=details)
    elif row.action == "pause":
        queries.settle_command(connection, command_id=row.command_id, outcome="failed", sent_at=None)
        sites.stop(connection, site=row.site, why=f"{row.machine} was commanded off and is on", now=now)


def _name(row: SentCommand) -> str:
    return f"{row.site} {row.machine}"
