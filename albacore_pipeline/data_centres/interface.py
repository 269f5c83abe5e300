"""What every data centre looks like from the inside: the one interface that the adapters implement.

Belongs here: the shapes in which machines, samples and power states cross the border, and the errors.
Does not belong here: any wire format; each has a module of its own beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.periods import Window


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One answer exactly as it came over the wire: what it says, and the gzip stream in which it said so, if it did."""

    content: bytes
    gzipped: bytes = b""


KeepRaw = Callable[[Raw], None]
"""Takes each answer before anything is derived from it; any thread may call it."""


class FailedRead(Exception):
    """The site did not answer with usable data. One line: site, what was asked, cause, mend. Never an empty read."""


class NoMachines(FailedRead):
    """The site answered, and lists no machine."""


class PowerFailure(Exception):
    """A power command or a reading of the power state did not work; the machine's state is not known."""


class Meaning(StrEnum):
    """What the numbers of a site are."""

    COUNTER_WH = "counter_wh"  # cumulative watt-hours
    GAUGE_W = "gauge_w"  # watts at the instant
    INTERVAL_WH = "interval_wh"  # watt-hours of the interval that ends at the stamp
    AVERAGE_W = "average_w"  # average watts of the hour that begins at the stamp (a trend)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine as its site describes it."""

    name: str
    serial: str | None = None
    model: str | None = None
    rated_watts: int | None = None


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A reading that was not let in: whose, when, what it said, and why."""

    machine: str
    at: datetime | None
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Readings of some series, in columns.

    `machines[i]` is the machine of series `i`; a machine may have several series, which add up.
    `series`, `at_ms` and `value` have one entry a reading: the series' index (int32), the instant in milliseconds
    since the epoch (int64) and the number in the unit that `meaning` names (float64). Any order; duplicates allowed.
    """

    meaning: Meaning
    machines: list[str]
    series: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    refused: list[Refused] = field(default_factory=list)


class PowerState(StrEnum):
    """The state that a machine's own control reports."""

    ON = "on"
    OFF = "off"


class EnergySource(Protocol):
    """Reads a site's machines and their samples."""

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """The site's machines as of an instant. Raises FailedRead, and of its kinds NoMachines where there is none."""

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """The readings of these machines in `[window.start, window.end]`, a batch of whole machines at a time.

        Each raw answer goes to `keep_raw` before it is decoded. Raises FailedRead.
        """


class PowerControl(Protocol):
    """Switches a site's machines and reads back what became of it."""

    can_pause: bool

    def power_off(self, machine: str) -> None:
        """Ask for power off; returning is no proof. Raises PowerFailure."""

    def power_on(self, machine: str) -> None:
        """Ask for power on; returning is no proof. Raises PowerFailure."""

    def power_state(self, machine: str) -> PowerState:
        """Read the state back. Raises PowerFailure where it is unknown or in transition."""
