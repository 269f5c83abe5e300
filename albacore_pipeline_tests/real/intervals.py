"""Indonesia: a month of kWh per quarter of an hour, and the JSON lines in which VictoriaMetrics takes them.

Belongs here: what the site's software wrote down, troubles included.
Does not belong here: any arithmetic of the product; the truth is in `loads.py`.

Each machine's quarters end some seconds after the round ones, and its watts change every minute. Only in the quarter
in which an hour begins do they stand still, or else nobody could tell what was drawn before the hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline_tests.real.loads import (
    HOUR,
    Floats,
    Ints,
    Load,
    boundaries,
    load,
    october,
    rounded,
    span,
    stand_still_at_hours,
)

STEP = 900  # seconds of an interval
TIMEZONE = "Asia/Jakarta"
MONTH = october(timezone=TIMEZONE)


class Trouble(StrEnum):
    """What is wrong with a machine, if anything."""

    NONE = "none"
    ABSENT = "absent"  # two intervals were never written
    CONFLICT = "conflict"  # some intervals were written again, with larger values
    REPEATED = "repeated"  # every interval was written twice, with the same value
    ABSURD = "absurd"  # one interval has more energy than the machine can draw
    MOVED = "moved"  # from the middle of the month on, the machine stands in another rack


TROUBLES = {
    3: Trouble.ABSENT,
    7: Trouble.CONFLICT,
    11: Trouble.REPEATED,
    15: Trouble.ABSURD,
    19: Trouble.MOVED,
}


@dataclass(frozen=True, kw_only=True)
class Meter:
    """One machine: what it is, what was written down of it, and what it truly drew."""

    machine: str
    rated_watts: int
    trouble: Trouble
    ends: Ints  # of the intervals, seconds since the epoch
    kwh: Floats
    load: Load
    hit: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # ends of the intervals in trouble

    def known(self) -> NDArray[np.bool_]:
        """Which hours of the month (H,) are wholly covered by intervals that can be believed."""
        hours = boundaries(MONTH)
        known = np.ones(len(hours) - 1, dtype=np.bool_)
        if self.trouble in (Trouble.ABSENT, Trouble.ABSURD):
            for end in self.hit:
                known &= (hours[1:] <= end - STEP) | (hours[:-1] >= end)
        return known

    def true_wh(self) -> Ints:
        """Whole Wh of each hour of the month (H,), -1 where it cannot be known."""
        wh = np.diff(self.load.until(boundaries(MONTH)))
        return rounded(wh=wh, timezone=TIMEZONE, known=self.known())


def meters(*, machines: int = 100, seed: int = 1945) -> list[Meter]:
    """The month of that many machines; equal seeds give equal intervals."""
    return [_meter(index, np.random.default_rng([seed, index])) for index in range(machines)]


def _meter(index: int, rng: np.random.Generator) -> Meter:
    rated = int(rng.choice([500, 1200, 3000]))
    start, end = span(timezone=TIMEZONE)
    first = start + int(rng.integers(1, STEP)) - STEP
    drawn = load(start=first, end=end + STEP, rated=rated, rng=rng)
    stand_still_at_hours(drawn=drawn, step=STEP)
    stamps = np.arange(first, int(drawn.at[-1]) + 1, STEP, dtype=np.int64)
    trouble = TROUBLES.get(index, Trouble.NONE)
    in_trouble = len(stamps) // 3 + np.array([0, 1]) if trouble is Trouble.ABSENT else [len(stamps) // 3]
    return Meter(
        machine=f"ID-{index + 1:04d}",
        rated_watts=rated,
        trouble=trouble,
        ends=stamps[1:],
        kwh=np.diff(drawn.until(stamps)) / 1000,
        load=drawn,
        hit=stamps[in_trouble],
    )


def written(month: list[Meter], *, now: int) -> Iterator[bytes]:
    """The month as VictoriaMetrics imports it; the machines are described around `now`, too."""
    for meter in month:
        name = {"__name__": "machine_interval_energy_kwh", "machine": meter.machine}
        hit = np.isin(meter.ends, meter.hit)
        later = meter.ends > meter.hit[0]
        match meter.trouble:
            case Trouble.ABSENT:
                yield _line(name, meter.ends[~hit], meter.kwh[~hit])
            case Trouble.CONFLICT:
                yield _line(name, meter.ends, meter.kwh)
                yield _line(name, meter.hit, meter.kwh[hit] * 1.2 + 0.01)
            case Trouble.REPEATED:
                yield _line(name, meter.ends, meter.kwh)
                yield _line(name, meter.ends, meter.kwh)
            case Trouble.ABSURD:
                yield _line(name, meter.ends, np.where(hit, meter.rated_watts * STEP / HOUR / 1000 * 1.3, meter.kwh))
            case Trouble.MOVED:
                yield _line(name | {"rack": "A1"}, meter.ends[~later], meter.kwh[~later])
                yield _line(name | {"rack": "B2"}, meter.ends[later], meter.kwh[later])
            case _:
                yield _line(name, meter.ends, meter.kwh)
        info = {
            "__name__": "machine_info",
            "machine": meter.machine,
            "serial": meter.machine.replace("ID-", "SN"),
            "model": f"rack-{meter.rated_watts}",
            "rated_watts": str(meter.rated_watts),
        }
        described = np.append(meter.ends, np.arange(now - HOUR, now + HOUR, STEP))
        yield _line(info, described, np.ones(len(described)))


def _line(metric: dict[str, str], stamps: Ints, values: Floats) -> bytes:
    return json.dumps({"metric": metric, "values": values.tolist(), "timestamps": (stamps * 1000).tolist()}).encode()
