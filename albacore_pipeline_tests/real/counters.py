"""Norway: a month of watt-hour counters, and the text in which Prometheus takes it.

Belongs here: what the machines' meters showed and when they were read.
Does not belong here: any arithmetic of the product; the truth is in `loads.py`.

Meters are read every five minutes, each machine some seconds after the round minute, while the watts change every
minute. Only in the five minutes in which an hour begins do they stand still, or else no reading could tell what was
drawn before the hour: there the truth is what a straight line between the readings says. Some machines have troubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from albacore_pipeline.periods import Window, day_window
from albacore_pipeline_tests.real.loads import (
    HOUR,
    LAST_DAY,
    MINUTE,
    Floats,
    Ints,
    Load,
    boundaries,
    load,
    october,
    seconds,
    span,
    stand_still_at_hours,
)

STEP = 300  # seconds between readings
TIMEZONE = "Europe/Oslo"
MONTH = october(timezone=TIMEZONE)
WIDTH = 2.0**32


class Trouble(StrEnum):
    """What is wrong with a machine, if anything."""

    NONE = "none"
    RESTLESS = "restless"  # the watts change while an hour begins, too
    LONG_HOLE = "long hole"  # across midnight, longer than the margin on both sides of it
    SHORT_HOLE = "short hole"  # across midnight, shorter than the margin
    RESET = "reset"  # from zero again, some time after the last reading: what was drawn until then is lost
    ROLLOVER = "rollover"  # over 2^32 Wh, to zero


TROUBLES = {3: Trouble.RESTLESS, 7: Trouble.LONG_HOLE, 11: Trouble.SHORT_HOLE, 15: Trouble.RESET, 19: Trouble.ROLLOVER}


def local(day: int, hour: int, minute: int = 0) -> int:
    """An instant of a day of October in Oslo, in seconds since the epoch; not for the day that has 25 hours."""
    midnight = seconds(day_window(day=LAST_DAY.replace(day=day), timezone=TIMEZONE).start)
    return midnight + hour * HOUR + minute * MINUTE


HOLES = {
    Trouble.LONG_HOLE: (local(9, 20), local(10, 4)),
    Trouble.SHORT_HOLE: (local(14, 23), local(15, 1)),
}
"""From the last reading before the first instant to the first reading after the second there is none."""
RESET_AT = local(20, 12, 2)
ROLLOVER_AT = local(23, 17)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """One machine: what it is, what its meter showed, and what it truly drew."""

    machine: str
    rated_watts: int
    trouble: Trouble
    at: Ints  # of the readings, seconds since the epoch
    shown: Floats  # Wh
    begins_at: float  # what the meter would have shown at the load's beginning
    load: Load

    @property
    def labels(self) -> dict[str, str]:
        """How the site describes the machine."""
        model, serial = f"rack-{self.rated_watts}", self.machine.replace("NO-", "SN")
        return {"machine": self.machine, "serial": serial, "model": model, "rated_watts": str(self.rated_watts)}

    def true_levels(self, window: Window = MONTH) -> Floats:
        """What a meter without troubles would show at the boundaries of the window's hours."""
        return self.begins_at + self.load.until(boundaries(window))

    def true_wh(self, window: Window = MONTH) -> Ints:
        """Whole Wh of each hour as the house rounds them: the meter's level at each boundary, and their differences."""
        return np.diff(np.floor(self.true_levels(window) + 0.5)).astype(np.int64)

    def doubt(self, instants: Ints) -> Floats:
        """By how many Wh nobody can know the level at instants: it lies between the readings around them."""
        after = np.searchsorted(self.at, instants, side="left")
        before = np.searchsorted(self.at, instants, side="right") - 1
        step: Floats = np.where(after == before, 0.0, self.shown[after] - self.shown[before])
        share = (instants - self.at[before]) / np.maximum(self.at[after] - self.at[before], 1)
        doubt: Floats = step * np.maximum(share, 1 - share)
        return doubt

    def lost_wh(self) -> float:
        """What the machine drew and no meter ever showed."""
        if self.trouble is not Trouble.RESET:
            return 0.0
        before = self.at[self.at <= RESET_AT][-1:]
        return float(self.load.until(np.array([RESET_AT]))[0] - self.load.until(before)[0])


def counters(*, machines: int = 100, seed: int = 2025) -> list[Counter]:
    """The month of that many machines; equal seeds give equal readings."""
    return [_counter(index, np.random.default_rng([seed, index])) for index in range(machines)]


def _counter(index: int, rng: np.random.Generator) -> Counter:
    trouble = TROUBLES.get(index, Trouble.NONE)
    rated = int(rng.choice([500, 1200, 3000]))
    start, end = span(timezone=TIMEZONE)
    # One reading lies before the span and one after it, so that all of it is between readings.
    first = start + int(rng.integers(1, STEP)) - STEP
    drawn = load(start=first, end=end + STEP, rated=rated, rng=rng)
    at = np.arange(first, int(drawn.at[-1]) + 1, STEP, dtype=np.int64)
    if trouble is not Trouble.RESTLESS:
        stand_still_at_hours(drawn=drawn, step=STEP)
    begins_at = rng.uniform(1_000, 900_000)
    if trouble is Trouble.ROLLOVER:
        begins_at = WIDTH - float(drawn.until(np.array([ROLLOVER_AT]))[0])
    shown = begins_at + drawn.until(at)
    if trouble is Trouble.ROLLOVER:
        shown %= WIDTH
    if trouble is Trouble.RESET:
        later = at > RESET_AT
        shown[later] = drawn.until(at[later]) - drawn.until(np.array([RESET_AT]))
    seen = np.ones(len(at), dtype=np.bool_)
    if trouble in HOLES:
        begin, finish = HOLES[trouble]
        seen = (at < begin) | (at > finish)
    return Counter(
        machine=f"NO-{index + 1:04d}",
        rated_watts=rated,
        trouble=trouble,
        at=at[seen],
        shown=shown[seen],
        begins_at=begins_at,
        load=drawn,
    )


def write_openmetrics(month: list[Counter], path: Path, *, now: int) -> None:
    """The month as OpenMetrics text: series by series, seconds, and the closing word that promtool insists on.

    The machines are described around `now` as well: the site still has them, though their counters are of October.
    """
    with path.open("w") as file:
        file.write("# TYPE pdu_outlet_energy_wh counter\n")
        for counter in month:
            series = f'pdu_outlet_energy_wh_total{{machine="{counter.machine}"}}'
            readings = zip(counter.shown.tolist(), counter.at.tolist(), strict=True)
            file.writelines(f"{series} {wh!r} {at}\n" for wh, at in readings)
        file.write("# TYPE machine info\n")
        lately = range(now - HOUR, now + HOUR, STEP)
        for counter in month:
            labels = ",".join(f'{name}="{value}"' for name, value in counter.labels.items())
            file.writelines(f"machine_info{{{labels}}} 1 {at}\n" for at in (*counter.at.tolist(), *lately))
        file.write("# EOF\n")
