"""Series of readings within a day's frame, and what each kind of series is turned into.

Belongs here: sorted columns, cutting at hours, rounding. All instants are milliseconds after the day's start.
Does not belong here: any rule about a kind of reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.consumption.quality import Flag, Quality

HOUR_MS = 3_600_000
LONG_STEPS = 3  # a distance of more than so many nominal steps is a gap

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The day: its whole hours, the margin around it that readings come from, and the nominal step, in ms."""

    hours: int
    margin_ms: int
    step_ms: int

    @property
    def length(self) -> int:
        """Milliseconds from the day's start to its end."""
        return self.hours * HOUR_MS


@dataclass(frozen=True, kw_only=True)
class Readings:
    """N readings of S series, by series and instant, each instant once in a series.

    `watts` (S,) is the most that a series may be made of; series without readings are allowed.
    """

    series: Ints
    at: Ints
    value: Floats
    watts: Floats

    def bounds(self) -> Ints:
        """(S + 1,): series s has the readings from `bounds[s]` up to `bounds[s + 1]`."""
        return np.searchsorted(self.series, np.arange(len(self.watts) + 1)).astype(np.int64)

    def follows(self) -> Bools:
        """(N,): whether the reading before is of the same series."""
        result = np.zeros(len(self.series), dtype=np.bool_)
        result[1:] = self.series[1:] == self.series[:-1]
        return result


@dataclass(frozen=True, kw_only=True)
class Stretches:
    """Stretches `[start, end)` of series in which the hours they touch are of a lower quality."""

    series: Ints
    start: Ints
    end: Ints
    quality: NDArray[np.uint8]


def no_stretches() -> Stretches:
    """None at all."""
    none = np.zeros(0, dtype=np.int64)
    return Stretches(series=none, start=none, end=none, quality=np.zeros(0, dtype=np.uint8))


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A reading that a rule refused."""

    series: int
    at: int
    value: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What S series amount to: Wh (S, H), the span that each knows about, lower qualities, flags and refusals.

    A series knows nothing before `begins` (S,) and after `ends` (S,); one without readings has both at 0. `drew` are
    stretches without readings in which it drew, whatever is known of its power.
    """

    wh: Ints
    begins: Ints
    ends: Ints
    lower: Stretches
    drew: Stretches = field(default_factory=no_stretches)
    flags: list[tuple[Flag, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Stretches cut at the hours of the day: piece i is the part `[start, end)` of stretch `index` within `hour`."""

    index: Ints
    start: Ints
    end: Ints
    hour: Ints


def cut_at_hours(*, start: Ints, end: Ints, hours: int) -> Pieces:
    """The parts of stretches that lie within the day, hour by hour."""
    start, end = np.clip(start, 0, hours * HOUR_MS), np.clip(end, 0, hours * HOUR_MS)
    first = start // HOUR_MS
    count = np.where(end > start, (end - 1) // HOUR_MS - first + 1, 0)
    index = np.repeat(np.arange(len(start)), count)
    hour = first[index] + np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    return Pieces(
        index=index,
        start=np.maximum(start[index], hour * HOUR_MS),
        end=np.minimum(end[index], (hour + 1) * HOUR_MS),
        hour=hour,
    )


def sum_by_hour(*, series: Ints, hour: Ints, wh: Floats, shape: tuple[int, int]) -> Floats:
    """Sums (S, H) of pieces' energy. Each sum runs in time order, so that other series have no part in it."""
    cells: Floats = np.bincount(series * shape[1] + hour, weights=wh, minlength=shape[0] * shape[1]).astype(np.float64)
    return cells.reshape(shape)


def quality_by_hour(*, lower: Stretches, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The worst quality (S, H) that any stretch gives to an hour; MEASURED where none does."""
    result = np.zeros(shape, dtype=np.uint8)
    pieces = cut_at_hours(start=lower.start, end=lower.end, hours=shape[1])
    np.maximum.at(result, (lower.series[pieces.index], pieces.hour), lower.quality[pieces.index])
    return result


def rounded_hours(*, wh: Floats, lower: Stretches) -> Ints:
    """Whole Wh (S, H): the energy since the day's start rounded at each hour, so that hours sum to the day.

    Missing hours are left out before anything is summed. Off by less than 1 Wh for any run of hours.
    """
    known = np.where(quality_by_hour(lower=lower, shape=(wh.shape[0], wh.shape[1])) == Quality.MISSING, 0.0, wh)
    at_ends = np.floor(np.cumsum(known, axis=1) + 0.5).astype(np.int64)
    return np.diff(at_ends, axis=1, prepend=0)


def spans(*, readings: Readings) -> tuple[Ints, Ints]:
    """The first and the last instant (S,) of each series; 0 and 0 for one without readings."""
    bounds = readings.bounds()
    filled = bounds[1:] > bounds[:-1]
    first, last = np.zeros((2, len(readings.watts)), dtype=np.int64)
    first[filled], last[filled] = readings.at[bounds[:-1][filled]], readings.at[bounds[1:][filled] - 1]
    return first, last
