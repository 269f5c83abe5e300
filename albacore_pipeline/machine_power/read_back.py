"""The power state of every machine that was commanded, read until it is as wanted: a 2xx alone is no proof."""

from __future__ import annotations

import time as real_time
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure
from albacore_pipeline.effects import audit
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import WANTED, Controls
from albacore_pipeline.machine_power.queries import SentCommand
from albacore_pipeline.periods import Clock

READ_BACK = timedelta(seconds=45)  # how long a machine may take to change its state


def read_back(
    *, engine: sa.Engine, controls: Controls, clock: Clock, patience: timedelta = READ_BACK
) -> tuple[list[str], list[str]]:
    """Read the power state of every machine that was commanded, until each is as wanted or patience ends.

    Returns the verified and the still unverified; those of sites without an interface wait for a person's word.
    """
    deadline = real_time.monotonic() + patience.total_seconds()
    verified: list[str] = []
    while True:
        with engine.connect() as connection:
            pending = [row for row in queries.unverified(connection) if controls.mailbox(row.site) is None]
        for row in pending:
            if _is_as_wanted(controls, row):
                _verify(engine, row, clock.now())
                verified.append(f"{row.site} {row.machine}")
        rest = [f"{row.site} {row.machine}" for row in pending if f"{row.site} {row.machine}" not in verified]
        if not rest or real_time.monotonic() >= deadline:
            return verified, rest
        real_time.sleep(0.5)  # between two readings of a state that takes seconds to change


def _is_as_wanted(controls: Controls, row: SentCommand) -> bool:
    try:
        return controls.control_of(row.site).power_state(row.machine) is WANTED[row.action]
    except PowerFailure:
        return False  # unknown is not verified; it stays in the list of those that are not


def _verify(engine: sa.Engine, row: SentCommand, now: datetime) -> None:
    with engine.begin() as connection:
        queries.settle_command(connection, command_id=row.command_id, outcome="verified", sent_at=None, verified_at=now)
        audit.record(
            connection,
            now=now,
            action="read_back",
            subject=f"{row.site} {row.machine}",
            details={"action": row.action, "customer": row.customer},
        )
