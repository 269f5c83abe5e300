"""Whether each machine is on: a list of changes by instant, from which every state follows.

Belongs here: commands and the state at an instant. A command takes effect a little later, as in life; nothing needs to
happen then, because the state is read from the list.
Does not belong here: how a command is spoken (`redfish.py`, `zabbix.py`, `ironic.py`).
"""

from __future__ import annotations

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Collection
from albacore_sandbox.truth import FOREVER_MS, Piece

SETTLING_MS = 2000  # from the command to the state, by the world's clock


class Power:
    """The power states of all machines. Each starts on."""

    def __init__(self, *, clock: WorldClock, changes: Collection) -> None:
        self._clock = clock
        self._changes = changes  # machine -> {"changes": [[at_ms, on], ...]} in order

    def command(self, machine: str, *, on: bool, settling_ms: int = SETTLING_MS) -> None:
        """Ask for a state; it is reached after the settling time. The latest command wins."""
        now = self._clock.now_ms()
        settled = [change for change in self._list(machine) if change[0] <= now]
        self._changes.put(machine, {"changes": [*settled, [now + settling_ms, on]]})

    def on(self, machine: str) -> bool:
        """Whether a machine is on at present."""
        reached = [on for at_ms, on in self._list(machine) if at_ms <= self._clock.now_ms()]
        return reached[-1] if reached else True

    def target(self, machine: str) -> bool | None:
        """The state that a machine is on its way to, or None."""
        ahead = [on for at_ms, on in self._list(machine) if at_ms > self._clock.now_ms()]
        return ahead[-1] if ahead else None

    def off_pieces(self) -> dict[str, list[Piece]]:
        """When each machine was or is off; open periods have no end."""
        result: dict[str, list[Piece]] = {}
        for machine in self._changes:
            since: int | None = None
            for at_ms, on in [*self._list(machine), (FOREVER_MS, True)]:
                if on and since is not None:
                    result.setdefault(machine, []).append(Piece(start_ms=since, end_ms=at_ms, factor=0.0))
                since = None if on else at_ms if since is None else since
        return result

    def _list(self, machine: str) -> list[tuple[int, bool]]:
        return [(at_ms, on) for at_ms, on in self._changes.get(machine, {"changes": []})["changes"]]
