"""Ethiopia and Finland: a month of watts at instants, every five minutes.

Belongs here: what the sensors measured, troubles included. Does not belong here: how a server takes it, and any
arithmetic of the product; the truth is in `loads.py`.

Between two readings power runs straight, so that the truth is exact for any instant; a sensor is read some seconds
after the round minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.periods import Window
from albacore_pipeline_tests.real.loads import HOUR, Floats, Ints, Load, boundaries, load, october, rounded, span

STEP = 300  # seconds between readings
BRIDGED = 3  # steps that a trapezoid may span


class Trouble(StrEnum):
    """What is wrong with a machine, if anything."""

    NONE = "none"
    SHORT_HOLE = "short hole"  # two readings are absent, between which power ran straight
    LONG_HOLE = "long hole"  # some hours are absent
    ABSURD = "absurd"  # one reading says more than the machine can draw
    THIN = "thin"  # in one of the first hours, two of twelve readings are absent
    UNRATED = "unrated"  # the site does not say what the machine is rated at


TROUBLES = {
    3: Trouble.SHORT_HOLE,
    7: Trouble.LONG_HOLE,
    11: Trouble.ABSURD,
    15: Trouble.UNRATED,
    19: Trouble.THIN,
}
ABSENT = {Trouble.SHORT_HOLE: BRIDGED - 1, Trouble.LONG_HOLE: 50, Trouble.THIN: BRIDGED - 1}


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """One machine: what it is, what its sensor said, and what it truly drew."""

    machine: str
    rated_watts: int
    trouble: Trouble
    at: Ints  # of the readings, seconds since the epoch
    watts: Floats
    hit: Ints  # of the readings in trouble
    load: Load
    timezone: str

    @property
    def month(self) -> Window:
        """October where the machine stands."""
        return october(timezone=self.timezone)

    def known(self) -> NDArray[np.bool_]:
        """Which hours of the month (H,) have no long hole in them."""
        hours = boundaries(self.month)
        if self.trouble is not Trouble.LONG_HOLE:
            return np.ones(len(hours) - 1, dtype=np.bool_)
        begin, end = self.hit[0] - STEP, self.hit[-1] + STEP
        result: NDArray[np.bool_] = (hours[1:] <= begin) | (hours[:-1] >= end)
        return result

    def true_wh(self) -> Ints:
        """Whole Wh of each hour of the month (H,), -1 where it cannot be known."""
        wh = np.diff(self.load.until(boundaries(self.month)))
        return rounded(wh=wh, timezone=self.timezone, known=self.known())

    def averages(self) -> tuple[Ints, Ints, Floats]:
        """What a site keeps of each hour since the epoch in which there are readings: start, count, mean watts."""
        hours, counts = np.unique(self.at // HOUR, return_counts=True)
        return hours * HOUR, counts, np.add.reduceat(self.watts, np.cumsum(counts) - counts) / counts


def gauges(*, prefix: str, timezone: str, machines: int = 100, seed: int = 1889) -> list[Gauge]:
    """The month of that many machines at a place; equal seeds give equal readings."""
    return [_gauge(index, np.random.default_rng([seed, index]), prefix, timezone) for index in range(machines)]


def _gauge(index: int, rng: np.random.Generator, prefix: str, timezone: str) -> Gauge:
    rated = int(rng.choice([500, 1200, 3000]))
    start, end = span(timezone=timezone)
    first = start + int(rng.integers(1, STEP)) - STEP
    truth = load(start=first, end=end + STEP, rated=rated, rng=rng, step=STEP, straight=True)
    trouble = TROUBLES.get(index, Trouble.NONE)
    # In the first hours of the month, or in its first half; in the middle of an hour.
    hour = (36 if trouble is Trouble.THIN else 280) * HOUR
    place = int(np.searchsorted(truth.at, start + hour + HOUR // 2))
    count = ABSENT.get(trouble, 1)
    if trouble in (Trouble.SHORT_HOLE, Trouble.ABSURD, Trouble.THIN):  # power runs straight over what is not seen
        truth.watts[place - 1 : place + count + 1] = np.linspace(0.2 * rated, 0.7 * rated, count + 2)
    said, seen = truth.watts.copy(), np.ones(len(truth.at), dtype=np.bool_)
    if trouble is Trouble.ABSURD:
        said[place] = 1.3 * rated
    elif trouble in ABSENT:
        seen[place : place + count] = False
    return Gauge(
        machine=f"{prefix}-{index + 1:04d}",
        rated_watts=rated,
        trouble=trouble,
        at=truth.at[seen],
        watts=said[seen],
        hit=truth.at[place : place + count],
        load=truth,
        timezone=timezone,
    )
