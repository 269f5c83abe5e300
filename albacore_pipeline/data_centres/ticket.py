"""A site whose machines only people can switch.

Belongs here: saying so. Does not belong here: writing to those people, and their answers.
"""

from __future__ import annotations

from typing import NoReturn

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState


class TicketPower:
    """Switches nothing. Implements `PowerControl`, so that nobody has to ask which kind of site it is."""

    can_pause = False

    def __init__(self, *, site: str, mailbox: str) -> None:
        self._site, self._mailbox = site, mailbox

    def power_off(self, machine: str) -> None:
        """Raises PowerFailure."""
        self._fail(f"power off of {machine}")

    def power_on(self, machine: str) -> None:
        """Raises PowerFailure."""
        self._fail(f"power on of {machine}")

    def power_state(self, machine: str) -> PowerState:
        """Raises PowerFailure."""
        self._fail(f"power state of {machine}")

    def _fail(self, what: str) -> NoReturn:
        raise PowerFailure(
            f"{self._site}: {what}: the site has no power interface; "
            f"write to {self._mailbox} and record the answer with confirm_power_state"
        )
