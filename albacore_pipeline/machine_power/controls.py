"""The sites' power controls as the room sees them, and what a command wants to see there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from albacore_pipeline.data_centres.interface import PowerControl, PowerFailure, PowerState
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.interface import STATES, Cancelled, Succeeded
from albacore_pipeline.machine_power.queries import Command
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.sites import SITES, Site, TicketControl

PAUSE, RESUME = "power.pause", "power.resume"  # kinds of effects
KINDS = {"pause": PAUSE, "resume": RESUME}
WANTED = {"pause": PowerState.OFF, "resume": PowerState.ON}


@dataclass(frozen=True)
class Unreadable:
    """A machine's state can't be read, or is on its way to another one."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The sites and their power controls; a site without one is switched by a ticket to its operations."""

    sites: Mapping[str, Site]
    control_of: Callable[[str], PowerControl]

    def mailbox(self, site: str) -> str | None:
        """Where tickets of a site go; None where there is an interface."""
        control = self.sites[site].control
        return control.mailbox if isinstance(control, TicketControl) else None

    def state(self, site: str, machine: str) -> PowerState | Unreadable:
        """A machine's state, or why it can't be read: a site that is not set up is one whose machines can't be."""
        try:
            return self.control_of(site).power_state(machine)
        except (PowerFailure, SettingsError) as error:
            return Unreadable(str(error))


def audited(command: Command, *, kind: str, outcome: Succeeded | Cancelled) -> audit.Entry:
    """What became of a command, as the audit has it."""
    answer = dict(outcome.answer) if isinstance(outcome, Succeeded) else outcome.reason
    details = {"outcome": STATES[type(outcome)], "answer": answer}
    return audit.Entry(action=kind, subject=f"{command.site} {command.machine}", details=details)


def by_ticket(site: str) -> bool:
    """Whether a site's machines are switched by a ticket to its operations."""
    return isinstance(SITES[site].control, TicketControl)
