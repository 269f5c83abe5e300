"""Resumes as effects: the command is given again until the machine is read to be on, every few minutes.

Sites are asked side by side, so that one that is silent, or not set up, holds up no other.
"""

from __future__ import annotations

import time as real_time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.interface import Cancelled, Effect, Later, Outcome, Succeeded
from albacore_pipeline.machine_power import queries, sites, tickets
from albacore_pipeline.machine_power.controls import RESUME, Controls, Unreadable, audited
from albacore_pipeline.machine_power.pausing import AT_ONCE
from albacore_pipeline.machine_power.queries import Command, Reading
from albacore_pipeline.periods import Clock
from albacore_pipeline.settings import SettingsError

AGAIN = timedelta(minutes=10)
PATIENCE = timedelta(seconds=20)
LATE = timedelta(hours=1)  # then people are told


@dataclass(kw_only=True)
class ResumeHandler:
    """Switching on; tried until it is read to be on."""

    controls: Controls
    engine: sa.Engine
    clock: Clock
    journal: Callable[[str, Mapping[str, object]], None]
    patience: timedelta = PATIENCE
    poll_seconds: float = 0.5
    name: str = RESUME
    batch: int = 50

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Switching on twice does no harm."""
        return [Later("commanding it again") for _ in effects]

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Command and read back, the machines side by side."""
        with self.engine.begin() as connection:
            commands = {
                row.effect_id: row for row in queries.commands(connection, effects=[e.effect_id for e in effects])
            }
            now = self.clock.now()
            queries.resolve(connection, commands=[command.command_id for command in commands.values()], now=now)
            for command in commands.values():
                if mailbox := self.controls.mailbox(command.site):
                    tickets.write_resume(connection, command=command, mailbox=mailbox, now=now)
        for command in commands.values():
            facts = {"site": command.site, "machine": command.machine, "customer": command.customer}
            self.journal("resume", facts | {"at": now.isoformat()})
        ordered = [commands[effect.effect_id] for effect in effects]
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            outcomes = list(pool.map(self._switch, ordered))
        self._tell_of_late(ordered, outcomes)
        return outcomes

    def _switch(self, command: Command) -> Outcome:
        if command.by_ticket:
            return Succeeded({"ticket": "written"})
        try:
            self.controls.control_of(command.site).power_on(command.machine)
        except (PowerFailure, SettingsError) as error:
            return Later(str(error), AGAIN)
        deadline = real_time.monotonic() + self.patience.total_seconds()
        while (read := self.controls.state(command.site, command.machine)) is not PowerState.ON:
            if real_time.monotonic() >= deadline:
                state = read.why if isinstance(read, Unreadable) else read
                return Later(f"commanded, and read to be: {state}", AGAIN)
            real_time.sleep(self.poll_seconds)  # between two readings of a state that takes seconds to change
        return Succeeded({"commanded": "resume", "read": read})

    def _tell_of_late(self, commands: Sequence[Command], outcomes: Sequence[Outcome]) -> None:
        now = self.clock.now()
        late = [
            (command, outcome.reason)
            for command, outcome in zip(commands, outcomes, strict=True)
            if isinstance(outcome, Later) and now - command.requested_at >= LATE
        ]
        with self.engine.begin() as connection:
            for command, why in late:
                sites.tell_of_late_resume(connection, command=command, why=why, now=now)

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Note on the command what became of it."""
        if not isinstance(outcome, Succeeded | Cancelled):
            return
        (command,) = queries.commands(connection, effects=[effect.effect_id])
        if isinstance(outcome, Succeeded):
            queries.settle_command(connection, command_id=command.command_id, outcome="sent", sent_at=now)
            if outcome.answer.get("read") == PowerState.ON:
                reading = Reading(command_id=command.command_id, state=PowerState.ON)
                queries.note_readings(connection, readings=[reading], now=now)
                sites.close_late_resume(connection, command=command, now=now)
        else:
            queries.settle_command(connection, command_id=command.command_id, outcome="cancelled", sent_at=None)
        audit.record_many(connection, entries=[audited(command, kind=effect.kind, outcome=outcome)], now=now)
