"""From a cumulative watt-hour counter to the energy of hours.

Belongs here: steps, resets, rollovers, jumps and gaps of counters, and verified power-offs within gaps.
Does not belong here: anything about other kinds of readings.

The energy at an hour's boundary is the counter's own value there, interpolated between the readings around it and
rounded, plus whole watt-hours for what resets took away. So two days that see the same readings around their midnight
share its value, and their sum is that of both days read as one, to the watt-hour.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.consumption.power_off import Rests, Stands, stands
from albacore_pipeline.consumption.quality import Flag, Quality
from albacore_pipeline.consumption.series import (
    HOUR_MS,
    LONG_STEPS,
    Bools,
    Derived,
    Floats,
    Frame,
    Ints,
    Readings,
    Refusal,
    Stretches,
    spans,
)

WIDTH = 2.0**32  # where a counter begins anew at zero
EXACT = 2.0**53  # beyond this a float64 no longer tells one Wh from the next
GLITCH_MS = HOUR_MS  # for how long a counter may stray and still be believed when it comes back
LONG_GAP_MS = 24 * HOUR_MS

TOO_STEEP = "a step of more than the machine can draw"
STRAY = "off the counter's course, to which it came back"


@dataclass
class _Steps:
    """The step that ends at each reading: whether the reading is kept, the energy counted, whether it is a hole."""

    keep: Bools
    rise: Floats
    hole: Bools
    flags: list[tuple[Flag, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Believed:
    """The readings that are kept, and of the step that ends at each its energy, its quality, whether it is a hole."""

    readings: Readings
    rise: Floats
    quality: NDArray[np.uint8]
    hole: Bools


def derive_counter(*, readings: Readings, frame: Frame, rests: Rests) -> Derived:
    """Energy of series in cumulative Wh. `readings.watts` is the most that a machine can draw; `rests` go by series."""
    steps = _judge(readings, frame)
    kept = Readings(
        series=readings.series[steps.keep],
        at=readings.at[steps.keep],
        value=readings.value[steps.keep],
        watts=readings.watts,
    )
    hole = steps.hole[steps.keep]
    quality = _quality(readings=kept, hole=hole, frame=frame)
    course = _Believed(readings=kept, rise=steps.rise[steps.keep], quality=quality, hole=hole)
    course, drew = _with_rests(course, rests)
    begins, ends = spans(readings=course.readings)
    level = _levels(readings=course.readings, rise=course.rise, frame=frame, begins=begins, ends=ends)
    return Derived(
        wh=np.diff(np.maximum.accumulate(level, axis=1), axis=1),
        begins=begins,
        ends=ends,
        lower=_stretches(course, np.flatnonzero(course.quality > Quality.MEASURED)),
        drew=drew,
        flags=steps.flags,
        refusals=steps.refusals,
    )


def _judge(readings: Readings, frame: Frame) -> _Steps:
    """Take every step as it is, and look closer at the series in which one falls or is too steep."""
    follows = readings.follows()
    rise, time = np.zeros_like(readings.value), np.zeros_like(readings.at)
    rise[1:], time[1:] = np.diff(readings.value), np.diff(readings.at)
    rise[~follows] = 0.0
    doubtful = follows & ((rise < 0) | (rise > readings.watts[readings.series] * time / HOUR_MS))
    steps = _Steps(keep=np.ones(len(rise), dtype=np.bool_), rise=rise, hole=np.zeros(len(rise), dtype=np.bool_))
    bounds = readings.bounds()
    for series in np.unique(readings.series[doubtful]).tolist():
        part = slice(int(bounds[series]), int(bounds[series + 1]))
        _Course(readings=readings, series=series, part=part, steps=steps, frame=frame).follow()
    return steps


class _Course:
    """Follows one series in which something is odd, from one believed reading to the next."""

    def __init__(self, *, readings: Readings, series: int, part: slice, steps: _Steps, frame: Frame) -> None:
        self._at: list[int] = readings.at[part].tolist()
        self._value: list[float] = readings.value[part].tolist()
        self._watts = float(readings.watts[series])
        self._series, self._first, self._steps, self._frame = series, part.start, steps, frame

    def follow(self) -> None:
        """Write what became of every reading into the steps."""
        believed, i = 0, 1
        while i < len(self._at):
            back = None if self._possible(believed, i) else self._comes_back(believed, i)
            if back is not None:
                for stray in range(i, back):
                    self._refuse(stray, STRAY)
                i = back
            if self._take(believed, i):
                believed = i
            i += 1

    def _take(self, believed: int, i: int) -> bool:
        """Count the step from the believed reading to this one; False if this one is not to be believed."""
        before, now = self._value[believed], self._value[i]
        most = self._most(believed, i)
        rise, hole = now - before, False
        if rise < 0:
            over = before <= WIDTH and now + WIDTH - before <= most
            self._flag(Flag.ROLLOVER if over else Flag.RESET, believed, i)
            rise = now + WIDTH - before if over else now if now <= most else 0.0
        elif rise > most:
            self._refuse(i, TOO_STEEP)
            if i + 1 == len(self._at) or not self._possible(i, i + 1):
                return False
            rise, hole = 0.0, True  # the counter goes on from its new value; nobody knows what happened in between
        self._steps.keep[self._first + i] = True
        self._steps.rise[self._first + i] = rise
        self._steps.hole[self._first + i] = hole
        return True

    def _comes_back(self, believed: int, i: int) -> int | None:
        """The next reading, soon, that agrees with the believed one, if those up to there went astray.

        After a fall they did only if the way back is too steep for a counter that began anew.
        """
        fell = self._value[i] < self._value[believed]
        for j in range(i + 1, len(self._at)):
            if j > i + 1 and self._at[j] > self._at[i] + GLITCH_MS:
                return None
            if fell and self._possible(j - 1, j):
                continue
            if self._possible(believed, j):
                return j
            if fell:
                return None
        return None

    def _most(self, a: int, b: int) -> float:
        return self._watts * (self._at[b] - self._at[a]) / HOUR_MS

    def _possible(self, a: int, b: int) -> bool:
        return 0 <= self._value[b] - self._value[a] <= self._most(a, b)

    def _refuse(self, i: int, reason: str) -> None:
        self._steps.keep[self._first + i] = False
        self._steps.refusals.append(Refusal(series=self._series, at=self._at[i], value=self._value[i], reason=reason))

    def _flag(self, flag: Flag, a: int, b: int) -> None:
        if self._at[b] > 0 and self._at[a] < self._frame.length:
            self._steps.flags.append((flag, self._series))


def _levels(*, readings: Readings, rise: Floats, frame: Frame, begins: Ints, ends: Ints) -> Ints:
    """Whole Wh (S, H + 1) at each hour's boundary, on a scale of each series' own; flat before and after its span."""
    series, at, value = readings.series, readings.at, readings.value
    if not len(at):
        return np.zeros((len(readings.watts), frame.hours + 1), dtype=np.int64)
    extra = _extra(readings=readings, rise=rise)
    offset = np.cumsum(extra)
    boundary = np.arange(frame.hours + 1) * HOUR_MS
    within = np.clip(boundary[None, :], begins[:, None], ends[:, None])
    low, reach = int(at.min()), int(at.max() - at.min()) + 1
    filled = np.diff(readings.bounds()) > 0
    index = np.arange(len(readings.watts))[:, None]
    key = index * reach + (np.where(filled[:, None], within, low) - low)
    i = np.maximum(np.searchsorted(series * reach + (at - low), key, side="right") - 1, 0)
    j = np.minimum(i + 1, len(at) - 1)
    inside = (series[j] == series[i]) & (j > i)
    top = np.where(inside, value[j] + extra[j], value[i])
    share = np.where(inside, (within - at[i]) / np.maximum(at[j] - at[i], 1), 0.0)
    exact = np.minimum(value[i] + (top - value[i]) * share, top)
    return np.where(filled[:, None], np.floor(exact + 0.5).astype(np.int64) + offset[i], 0)


def _extra(*, readings: Readings, rise: Floats) -> Ints:
    """Whole Wh to add to the counter from each reading on, so that no step falls.

    Rounded in the customer's favour, where a step that isn't its readings' difference has a fraction.
    """
    before = np.where(readings.follows(), np.roll(readings.value, 1), readings.value)
    extra = np.maximum(np.floor(before + rise - readings.value), np.ceil(before - readings.value))
    return np.where(rise == readings.value - before, 0.0, extra).astype(np.int64)


def _quality(*, readings: Readings, hole: Bools, frame: Frame) -> NDArray[np.uint8]:
    """The quality (N,) of the step that ends at each reading: lower of long steps, and of holes.

    So is that of a step across midnight longer than the margin, which the other day may not see.
    """
    quality = np.full(len(hole), Quality.MEASURED, dtype=np.uint8)
    later = np.flatnonzero(readings.follows())
    start, end = readings.at[later - 1], readings.at[later]
    time = end - start
    across = ((start < 0) & (end > 0)) | ((start < frame.length) & (end > frame.length))
    quality[later] = np.select(
        [hole[later] | (across & (time > frame.margin_ms)), time > LONG_GAP_MS, time > LONG_STEPS * frame.step_ms],
        [np.uint8(Quality.MISSING), np.uint8(Quality.ESTIMATED), np.uint8(Quality.INTERPOLATED)],
        np.uint8(Quality.MEASURED),
    )
    return quality


def _stretches(course: _Believed, later: Ints) -> Stretches:
    """The steps that end at these readings, with their quality."""
    at = course.readings.at
    return Stretches(
        series=course.readings.series[later], start=at[later - 1], end=at[later], quality=course.quality[later]
    )


def _with_rests(course: _Believed, rests: Rests) -> tuple[_Believed, Stretches]:
    """The course with a reading put at both ends of each rest in a gap; and the gaps whose rests the counter belies.

    The gap's total stays, and its quality, but for the rest, of which everything is known.
    """
    readings = course.readings
    rise = np.where(course.hole, EXACT, course.rise)  # of what may have been drawn in a hole nothing is known
    gaps = np.flatnonzero(course.quality > Quality.MEASURED)
    found = stands(readings=readings, rise=rise, holes=gaps, rests=rests)
    drew = _stretches(course, found.drew)
    if not len(found.hole):
        return course, drew
    return _put_in(course, found), drew


def _put_in(course: _Believed, found: Stands) -> _Believed:
    """The course with these readings, none of which adds energy."""
    readings, ends = course.readings, np.unique(found.hole)
    before = np.repeat(found.hole, 2)  # each reading goes before the one that ends its gap
    at = np.insert(readings.at, before, np.column_stack([found.start, found.end]).ravel())
    value = np.insert(readings.value, before, np.repeat(found.value, 2))
    put = np.insert(np.zeros(len(readings.at), dtype=np.bool_), before, True)
    rise = np.insert(course.rise, before, 0.0)
    difference = np.diff(value, prepend=0.0)
    rise[put] = difference[put]
    last = np.flatnonzero(~put & np.roll(put, 1))  # where the gaps end now
    plain = course.rise[ends] == readings.value[ends] - readings.value[ends - 1]
    rest = course.rise[ends] - (value[last - 1] - readings.value[ends - 1])
    rise[last] = np.where(plain, difference[last], rest)
    quality = np.insert(course.quality, before, np.column_stack(
        [course.quality[found.hole], np.full(len(found.hole), Quality.MEASURED, dtype=np.uint8)]
    ).ravel())  # fmt: skip
    return _Believed(
        readings=Readings(
            series=np.insert(readings.series, before, readings.series[before]), at=at, value=value, watts=readings.watts
        ),
        rise=rise,
        quality=quality,
        hole=np.insert(course.hole, before, False),
    )
