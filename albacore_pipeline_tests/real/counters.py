"""A month of watt-hour counters whose energy is known to the hour, as Prometheus would have scraped them.

Belongs here: what the machines truly drew, what their meters showed, and the text in which Prometheus takes it.
Does not belong here: any arithmetic of the product; the truth comes from the watts and never from the readings.

Each machine draws constant watts from one reading to the next, so the energy between two readings grows in a straight
line and the truth of every hour is exact. Readings are taken every five minutes, some seconds after the round minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.periods import Window, day_window

STEP = 300  # seconds between readings
HOUR = 3600
TIMEZONE = "Europe/Oslo"
SPAN = Window(
    day_window(day=date(2025, 9, 30), timezone=TIMEZONE).start, day_window(day=date(2025, 11, 1), timezone=TIMEZONE).end
)
"""October 2025 in Oslo with a day on both sides."""


def local(day: int, hour: int) -> int:
    """The whole hour of a day of October in Oslo, in seconds since the epoch; not for the day that has 25."""
    midnight = day_window(day=date(2025, 10, day), timezone=TIMEZONE).start
    return int((midnight + timedelta(hours=hour)).timestamp())


@dataclass(frozen=True, kw_only=True)
class Hole:
    """No readings strictly between two instants, in seconds since the epoch."""

    machine: int
    start: int
    end: int


LONG_HOLE = Hole(machine=3, start=local(9, 20), end=local(10, 4))
"""Across midnight, and more than the margin of 3 h on both sides of it: those hours are missing."""
SHORT_HOLE = Hole(machine=4, start=local(14, 23), end=local(15, 1))
"""Across midnight, 2 h, at constant watts: the total is known and the hours are interpolated."""
RESET_MACHINE, RESET_AT = 5, local(20, 12)
"""The meter of this machine starts again from zero at its first reading after this instant."""


@dataclass(frozen=True, kw_only=True)
class Counter:
    """One machine: what it is, its readings, and what it truly drew."""

    machine: str
    serial: str
    model: str
    rated_watts: int
    at: NDArray[np.int64]  # seconds since the epoch
    wh: NDArray[np.float64]  # what the meter showed
    hourly_wh: NDArray[np.float64]  # the truth of each hour of SPAN, in UTC order

    def between(self, window: Window) -> tuple[list[int], list[float]]:
        """Stamps and readings in `(start, end]`: what a Prometheus range selector gives."""
        start, end = int(window.start.timestamp()), int(window.end.timestamp())
        chosen = (self.at > start) & (self.at <= end)
        return self.at[chosen].tolist(), self.wh[chosen].tolist()

    def true_wh(self, window: Window) -> NDArray[np.float64]:
        """The truth of each hour of a window, in UTC order."""
        first = round((window.start - SPAN.start) / timedelta(hours=1))
        return self.hourly_wh[first : first + window.hours]


def counters(*, machines: int = 50, seed: int = 2025) -> list[Counter]:
    """The month of that many machines; equal seeds give equal readings."""
    return [_counter(index, np.random.default_rng([seed, index])) for index in range(machines)]


def _counter(index: int, rng: np.random.Generator) -> Counter:
    rated = int(rng.choice([500, 1200, 3000]))
    start, end = int(SPAN.start.timestamp()), int(SPAN.end.timestamp())
    holes = [hole for hole in (LONG_HOLE, SHORT_HOLE) if hole.machine == index]
    phase = 0 if holes else int(rng.integers(1, STEP))  # a hole begins and ends with a reading on the hour
    # One reading lies before the span and one after it, so that all of it is between readings.
    at = np.arange(start + phase - STEP, end + STEP + 1, STEP, dtype=np.int64)
    watts = _watts(at, rated, rng)
    for hole in holes:
        watts[(at >= hole.start) & (at < hole.end)] = rated // 2
    drawn = np.concatenate([[0.0], np.cumsum(watts[:-1] * STEP / HOUR)])  # Wh from the first reading on
    shown = drawn + float(rng.integers(1_000, 900_000))
    if index == RESET_MACHINE:
        last = int(np.searchsorted(at, RESET_AT)) - 1
        shown[last + 1 :] = drawn[last + 1 :] - drawn[last]  # from zero again right after the last reading
    seen = np.ones(len(at), dtype=bool)
    for hole in holes:
        seen &= (at <= hole.start) | (at >= hole.end)
    return Counter(
        machine=f"NO-{index + 1:04d}",
        serial=f"SN{index + 1:06d}",
        model=f"rack-{rated}",
        rated_watts=rated,
        at=at[seen],
        wh=shown[seen],
        hourly_wh=np.diff(_drawn_until(np.arange(start, end + 1, HOUR), at, watts, drawn)),
    )


def _watts(at: NDArray[np.int64], rated: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Whole watts from each reading to the next: a daily wave with noise, and some hours of no load at all."""
    wave = 0.55 + 0.25 * np.sin(2 * np.pi * (at % 86_400) / 86_400 + rng.uniform(0, 6))
    watts = np.round(rated * np.clip(wave + rng.normal(0, 0.08, len(at)), 0.05, 0.98))
    idle = int(rng.integers(0, len(at) - 36))
    watts[idle : idle + 36] = 0
    return watts


def _drawn_until(
    instants: NDArray[np.int64], at: NDArray[np.int64], watts: NDArray[np.float64], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Wh drawn until each instant: until the reading before it, and since then at that reading's watts."""
    before = np.searchsorted(at, instants, side="right") - 1
    return drawn[before] + watts[before] * (instants - at[before]) / HOUR


def write_openmetrics(month: list[Counter], path: Path) -> None:
    """The month as OpenMetrics text: series by series, seconds, and the closing word that promtool insists on."""
    with path.open("w") as file:
        file.write("# TYPE pdu_outlet_energy_wh counter\n")
        for counter in month:
            series = f'pdu_outlet_energy_wh_total{{machine="{counter.machine}"}}'
            readings = zip(counter.wh.tolist(), counter.at.tolist(), strict=True)
            file.writelines(f"{series} {wh!r} {at}\n" for wh, at in readings)
        file.write("# TYPE machine info\n")
        for counter in month:
            labels = (
                f'machine="{counter.machine}",serial="{counter.serial}",model="{counter.model}"'
                f',rated_watts="{counter.rated_watts}"'
            )
            file.writelines(f"machine_info{{{labels}}} 1 {at}\n" for at in counter.at.tolist())
        file.write("# EOF\n")
