"""The machines of the four data centres: what they are, derived from the seed and stored nowhere.

Belongs here: the sites' shapes, the machines' names, ratings, serials, and the hashing that all of the truth rests on.
Does not belong here: what the machines draw (`truth.py`) and whether they are on (`power.py`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

RATINGS = np.array([2500, 2760, 3010, 3250, 3425, 3600, 4100, 4480, 5200, 5500], dtype=np.int64)


class Kind(Enum):
    """What a site's meters report."""

    COUNTER = "counter"  # watt-hours since the counter began
    GAUGE = "gauge"  # watts at the instant
    INTERVAL = "interval"  # energy of the interval that ends at the stamp


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What sets a site apart. `step` is the distance of its readings in seconds."""

    name: str
    prefix: str
    timezone: str
    kind: Kind
    step: int
    whole_seconds: bool = False  # stamps without milliseconds
    late: bool = False  # days may arrive up to five days late

    def day(self, day: date) -> tuple[int, int]:
        """The site's calendar day as `[start, end)` in milliseconds since the epoch."""
        zone = ZoneInfo(self.timezone)
        start, end = (datetime.combine(d, time(), zone).timestamp() for d in (day, day + timedelta(days=1)))
        return round(start * 1000), round(end * 1000)

    def local_day(self, at_ms: int) -> date:
        """The site's calendar day in which an instant lies."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(self.timezone)).date()


SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape(name="norway", prefix="NO", timezone="Europe/Oslo", kind=Kind.COUNTER, step=300),
        Shape(name="finland", prefix="FI", timezone="Europe/Helsinki", kind=Kind.GAUGE, step=300, whole_seconds=True),
        Shape(name="ethiopia", prefix="ET", timezone="Africa/Addis_Ababa", kind=Kind.GAUGE, step=300, late=True),
        Shape(name="indonesia", prefix="ID", timezone="Asia/Jakarta", kind=Kind.INTERVAL, step=900),
    )
}


def mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Well-mixed bits for each key: the finaliser of the SplitMix64 generator."""
    z = keys + np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def uniform(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each key."""
    return (mixed(keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Fleet:
    """The machines of one site. Arrays have one entry a machine, in the order of `names`."""

    def __init__(self, *, shape: Shape, count: int, seed: int) -> None:
        self.shape = shape
        self.seed = seed
        self.names = [f"{shape.prefix}-{number:04d}" for number in range(1, count + 1)]
        self.rows = {name: row for row, name in enumerate(self.names)}
        site_key = mixed(np.array([seed * 1009 + int.from_bytes(shape.prefix.encode())], dtype=np.uint64))
        numbers: NDArray[np.uint64] = np.arange(1, count + 1, dtype=np.uint64)
        self.keys: NDArray[np.uint64] = mixed(np.add(site_key, numbers))
        self.rated: NDArray[np.int64] = RATINGS[(self._draw(1) * len(RATINGS)).astype(np.int64)]
        phase = 20_000 + (self._draw(2) * 260_000).astype(np.int64)
        self.phase_ms: NDArray[np.int64] = phase // 1000 * 1000 if shape.whole_seconds else phase
        self.level: NDArray[np.float64] = 0.72 + 0.18 * self._draw(3)
        self.swing: NDArray[np.float64] = self._draw(4)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def step_ms(self) -> int:
        """The distance of readings in milliseconds."""
        return self.shape.step * 1000

    @cached_property
    def serials(self) -> list[str]:
        """The serial number of each machine."""
        return [f"{self.shape.prefix}{bits >> 24:010X}" for bits in mixed(self.keys + np.uint64(5)).tolist()]

    @cached_property
    def models(self) -> list[str]:
        """The model of each machine."""
        return [f"HX-{watts}" for watts in self.rated.tolist()]

    @cached_property
    def uuids(self) -> list[str]:
        """The id of each machine in its control software."""
        return [str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:{self.seed}:{name}")) for name in self.names]

    @cached_property
    def rows_by_uuid(self) -> dict[str, int]:
        """The row of each machine by its id in its control software."""
        return {key: row for row, key in enumerate(self.uuids)}

    def _draw(self, salt: int) -> NDArray[np.float64]:
        return uniform(self.keys + np.uint64(salt * 7919))
