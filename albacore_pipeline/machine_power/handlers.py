"""Power commands as effects: how a machine is paused or resumed, looked up and settled.

Pausing fails closed: every gate is asked again at the moment of the command, and anything unknown leaves the machine
on. Resuming fails open: it asks only whether the machine stands still by our command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.interface import STATES, Cancelled, Effect, Later, Outcome, Succeeded, Unknown
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import PAUSE, RESUME, WANTED, Controls
from albacore_pipeline.machine_power.gates import closed_gate
from albacore_pipeline.machine_power.queries import Command
from albacore_pipeline.machine_power.tickets import write_ticket
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.interface import Organisation


@dataclass(kw_only=True)
class _Power:
    """What pausing and resuming share: one machine at a time, by interface or by ticket."""

    controls: Controls
    engine: sa.Engine
    clock: Clock
    batch: int = 10

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Note on the command what became of it."""
        if not isinstance(outcome, Succeeded | Cancelled):
            return
        command = queries.command(connection, effect_id=effect.effect_id, now=now)
        sent = isinstance(outcome, Succeeded)
        queries.settle_command(
            connection, command_id=command.command_id, outcome="sent" if sent else "cancelled",
            sent_at=now if sent else None, verified_at=None,
        )  # fmt: skip
        details = {
            "outcome": STATES[type(outcome)],
            "answer": dict(outcome.answer) if isinstance(outcome, Succeeded) else outcome.reason,
        }
        audit.record(
            connection, now=now, action=effect.kind, subject=f"{command.site} {command.machine}", details=details
        )

    def _command_of(self, effect: Effect) -> Command:
        with self.engine.connect() as connection:
            return queries.command(connection, effect_id=effect.effect_id, now=self.clock.now())

    def _found(self, command: Command) -> Outcome:
        """Whether the machine is as we wanted it; then it needs no second command. Raises PowerFailure."""
        if self.controls.mailbox(command.site):
            return Later("writing the ticket again is the same ticket")
        state = self.controls.control_of(command.site).power_state(command.machine)
        return Succeeded({"found": state}) if state is WANTED[command.action] else Later(f"the machine is {state}")

    def _switch(self, command: Command, effect: Effect) -> Outcome:
        if mailbox := self.controls.mailbox(command.site):
            with self.engine.begin() as connection:
                key = write_ticket(connection, command=command, effect=effect, mailbox=mailbox, now=self.clock.now())
            return Succeeded({"ticket": key})
        control = self.controls.control_of(command.site)
        try:
            (control.power_off if command.action == "pause" else control.power_on)(command.machine)
        except PowerFailure as error:
            return Unknown(str(error))  # it may have worked all the same
        return Succeeded({"commanded": command.action})


@dataclass(kw_only=True)
class PauseHandler(_Power):
    """Switching off, behind every gate."""

    xero: Organisation
    name: str = PAUSE

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Command machine after machine."""
        return [self._pause(effect) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Read the power states; while one can't be read, nobody can say whether an earlier command worked."""
        return [self._find(effect) for effect in effects]

    def _find(self, effect: Effect) -> Outcome:
        try:
            return self._found(self._command_of(effect))
        except PowerFailure as error:
            return Unknown(str(error))  # else a machine that we did switch off would pass for somebody else's

    def _pause(self, effect: Effect) -> Outcome:
        command = self._command_of(effect)
        closed = closed_gate(command, controls=self.controls, engine=self.engine, xero=self.xero, clock=self.clock)
        if closed is not None:
            return closed
        if self.controls.mailbox(command.site) is None:
            try:
                if self.controls.control_of(command.site).power_state(command.machine) is PowerState.OFF:
                    return Cancelled("it was off already, not by us")
            except PowerFailure as error:
                return Later(str(error))
        return self._switch(command, effect)


@dataclass(kw_only=True)
class ResumeHandler(_Power):
    """Switching on; tried until it works."""

    name: str = RESUME

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Command machine after machine."""
        return [self._switch(self._command_of(effect), effect) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Read the power states; a machine whose state can't be read is commanded again."""
        return [self._find(effect) for effect in effects]

    def _find(self, effect: Effect) -> Outcome:
        try:
            return self._found(self._command_of(effect))
        except PowerFailure as error:
            return Later(str(error))  # switching on twice does no harm
