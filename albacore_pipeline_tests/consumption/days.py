"""Days made of a few readings, for the tests of the energy rules.

Belongs here: shorthand. Does not belong here: expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from albacore_pipeline.consumption.energy import EnergyDay, derive
from albacore_pipeline.data_centres.interface import Machine, Meaning, Samples
from albacore_pipeline.data_centres.sift import milliseconds
from albacore_pipeline.periods import Window, day_window
from albacore_pipeline.sites import SITES, Site

MINUTE, HOUR = 60_000, 3_600_000
RATED = 3000  # so that 3750 W is the most that is believed
DAY = date(2025, 10, 20)
SITE_OF = {
    Meaning.COUNTER_WH: SITES["norway"],
    Meaning.GAUGE_W: SITES["finland"],
    Meaning.INTERVAL_WH: SITES["indonesia"],
    Meaning.AVERAGE_W: SITES["finland"],
}

Points = Iterable[tuple[float, float]]
"""(minutes after the day's start, value)"""


def window_of(site: Site, day: date = DAY) -> Window:
    return day_window(day=day, timezone=site.timezone)


def samples(meaning: Meaning, series: Sequence[tuple[str, Points]], *, window: Window | None = None) -> Samples:
    """Readings of several series, each given by its machine and its points."""
    start = milliseconds((window or window_of(SITE_OF[meaning])).start)
    rows = [(index, at, value) for index, (_, points) in enumerate(series) for at, value in points]
    return Samples(
        meaning=meaning,
        machines=[machine for machine, _ in series],
        series=np.array([index for index, _, _ in rows], dtype=np.int32),
        at_ms=np.array([start + round(at * MINUTE) for _, at, _ in rows], dtype=np.int64),
        value=np.array([value for _, _, value in rows], dtype=np.float64),
    )


def derived(
    meaning: Meaning,
    series: Mapping[str, Points] | Sequence[tuple[str, Points]],
    *,
    site: Site | None = None,
    window: Window | None = None,
    rated: int | None = RATED,
    more: Sequence[Samples] = (),
) -> EnergyDay:
    """The day of these series; every machine that occurs is listed, with the same rating."""
    site = site or SITE_OF[meaning]
    window = window or window_of(site)
    pairs = list(series.items()) if isinstance(series, Mapping) else list(series)
    names = sorted({name for name, _ in pairs})
    return derive(
        batches=[samples(meaning, pairs, window=window), *more],
        machines=[Machine(name=name, rated_watts=rated) for name in names],
        window=window,
        site=site,
    )


def steady(value_at: float, *, per_minute: float, first: float = -180, last: float = 1620, step: float = 5) -> Points:
    """A counter that stands at `value_at` at the day's start and rises evenly."""
    count = round((last - first) / step)
    return [(first + n * step, value_at + (first + n * step) * per_minute) for n in range(count + 1)]


def level(watts: float, *, first: float = -180, last: float = 1620, step: float = 5) -> Points:
    """A gauge or interval that always says the same."""
    return [(first + n * step, watts) for n in range(round((last - first) / step) + 1)]


def without(points: Points, first: float, last: float) -> list[tuple[float, float]]:
    """The points without those strictly between two instants."""
    return [(at, value) for at, value in points if not first < at < last]


def changed(points: Points, changes: Mapping[float, float]) -> list[tuple[float, float]]:
    """The points with other values at some instants."""
    return [(at, changes.get(at, value)) for at, value in points]


def letters(day: EnergyDay, row: int = 0) -> str:
    """A machine's qualities, hour by hour."""
    return day.quality_letters()[row]


def short_margin(site: Site, **changes: object) -> Site:
    """The site with other habits."""
    return replace(site, **changes)  # type: ignore[arg-type]
