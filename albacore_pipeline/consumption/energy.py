"""From a site's readings to the energy of its machines, hour by hour: the one way in.

Belongs here: what holds for every kind of reading: which are let in, which of two counts, how the series of a machine
add up, what is missing. Does not belong here: the rules of one kind (`counter.py`, `gauge.py`, `interval.py`), where
readings come from, and where the result goes.

Several series of a machine (two feeds, an outlet that moved) add up. A series counts as not there before its first
and after its last reading, so that a move costs the hour it falls in and nothing else. An hour is missing if the
machine's series together don't span it, or if one of them has a hole in it; else it is as bad as its worst series.

Missing is never zero. Zero needs readings that say zero, or a verified power-off: a whole hour of one in which no
reading lies, let in or refused, is measured zero. Readings always win.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.consumption.counter import EXACT, derive_counter
from albacore_pipeline.consumption.energy_day import EnergyDay
from albacore_pipeline.consumption.gauge import derive_gauge
from albacore_pipeline.consumption.interval import JITTER, derive_intervals
from albacore_pipeline.consumption.power_off import rests
from albacore_pipeline.consumption.quality import Flag, Quality
from albacore_pipeline.consumption.series import (
    HOUR_MS,
    Bools,
    Derived,
    Floats,
    Frame,
    Ints,
    Readings,
    Refusal,
    quality_by_hour,
)
from albacore_pipeline.data_centres.interface import Machine, Meaning, Refused, Samples
from albacore_pipeline.data_centres.sift import milliseconds, objections
from albacore_pipeline.periods import Window
from albacore_pipeline.sites import Site

__all__ = ["EnergyDay", "Flag", "Quality", "derive"]

HEADROOM = 1.25  # times its rating is the most that a machine is believed to draw
MAX_WATTS = 1e9  # so that an hour's Wh fits into 32 bits whatever comes
_MS = timedelta(milliseconds=1)


def derive(
    *,
    batches: Iterable[Samples],
    machines: Sequence[Machine],
    window: Window,
    site: Site,
    off: Mapping[str, Sequence[Window]] | None = None,
) -> EnergyDay:
    """The energy of these machines in the window, which is a day of whole hours, of 23, 24 or 25 as a rule.

    `batches` hold readings of `window.widened(site.margin)`, each those of whole machines, in any order; what lies
    outside is left aside. Batches are worked off one by one. Hourly averages (trends) may come in batches of their
    own: they fill hours that are missing otherwise. `off` says of machines when they stood still by a verified
    power-off, in disjoint spans in their order. Raises ValueError for a machine that comes in two batches.
    """
    day = _Day(machines=machines, window=window, site=site, off=off or {})
    averages = []
    for samples in batches:
        if samples.meaning is Meaning.AVERAGE_W:
            averages.append(samples)
        else:
            day.take(samples)
    for samples in averages:
        day.fill(samples)
    return day.result()


class _Day:
    """The day's table while it fills."""

    def __init__(
        self, *, machines: Sequence[Machine], window: Window, site: Site, off: Mapping[str, Sequence[Window]]
    ) -> None:
        self._machines = sorted(machines, key=lambda machine: machine.name)
        self._rows = {machine.name: row for row, machine in enumerate(self._machines)}
        if len(self._rows) != len(self._machines):
            raise ValueError("two machines bear the same name: list each once")
        self._frame = Frame(hours=window.hours, margin_ms=site.margin // _MS, step_ms=site.step // _MS)
        self._origin = milliseconds(window.start)
        self._watts = HEADROOM * np.array(
            [site.max_watts if machine.rated_watts is None else machine.rated_watts for machine in self._machines],
            dtype=np.float64,
        )
        if self._watts.max(initial=0.0) > MAX_WATTS:
            raise ValueError(f"a machine is rated above {MAX_WATTS:g} W: correct it in machines.csv or at the site")
        shape = (len(self._machines), window.hours)
        self._wh = np.zeros(shape, dtype=np.int64)
        self._quality = np.full(shape, Quality.MISSING, dtype=np.uint8)
        self._read_in = np.zeros(shape, dtype=np.bool_)  # hours of which some reading tells
        self._rests = rests(off=off, rows=self._rows, frame=self._frame, origin=self._origin)
        self._taken = np.zeros(len(self._machines), dtype=np.bool_)
        self._flags: list[set[Flag]] = [
            {Flag.UNRATED} if machine.rated_watts is None else set() for machine in self._machines
        ]
        self._refused: list[Refused] = []
        self._readings = 0

    def take(self, samples: Samples) -> None:
        """Derive a batch of whole machines."""
        rows, readings = self._let_in(samples)
        present = np.unique(rows[rows >= 0])
        if self._taken[present].any():
            name = self._machines[int(present[self._taken[present]][0])].name
            raise ValueError(f"machine {name} came in two batches: hand out the readings of a machine at once")
        self._taken[present] = True
        match samples.meaning:
            case Meaning.COUNTER_WH:
                derived = derive_counter(readings=readings, frame=self._frame, rests=self._rests.of(rows))
            case Meaning.GAUGE_W:
                derived = derive_gauge(readings=readings, frame=self._frame)
            case _:
                derived = derive_intervals(readings=readings, frame=self._frame, length=self._frame.step_ms)
        self._note(rows, derived)
        drew = quality_by_hour(lower=derived.drew, shape=(len(rows), self._frame.hours)) > Quality.MEASURED
        np.logical_or.at(self._read_in, rows[rows >= 0], drew[rows >= 0])
        self._wh[present], self._quality[present] = _by_machine(present=present, rows=rows, derived=derived)

    def fill(self, samples: Samples) -> None:
        """Put the site's hourly averages where nothing else is known."""
        rows, readings = self._let_in(samples)
        ended = Readings(series=readings.series, at=readings.at + HOUR_MS, value=readings.value, watts=readings.watts)
        derived = derive_intervals(readings=ended, frame=self._frame, length=HOUR_MS)
        present = np.unique(rows[rows >= 0])
        wh, quality = _by_machine(present=present, rows=rows, derived=derived)
        fills = (self._quality[present] == Quality.MISSING) & (quality < Quality.MISSING)
        self._wh[present] = np.where(fills, wh, self._wh[present])
        self._quality[present] = np.where(fills, quality, self._quality[present])
        for row in present[fills.any(axis=1)].tolist():
            self._flags[row].add(Flag.TREND)

    def result(self) -> EnergyDay:
        """The day as it stands, with the hours off."""
        off = self._rests.whole_hours(rows=len(self._machines), hours=self._frame.hours) & ~self._read_in
        off &= (self._quality == Quality.MISSING) | (self._wh == 0)
        self._quality[off] = Quality.MEASURED
        for row in np.flatnonzero(off.any(axis=1)).tolist():
            self._flags[row].add(Flag.OFF)
        return EnergyDay(
            machines=[machine.name for machine in self._machines],
            hourly_wh=self._wh.astype(np.int32),
            quality=self._quality,
            flags=[tuple(sorted(flags)) for flags in self._flags],
            refused=sorted(self._refused, key=lambda r: (r.machine, str(r.at), r.value, r.reason)),
            readings=self._readings,
        )

    def _let_in(self, samples: Samples) -> tuple[Ints, Readings]:
        """The row of each series (-1 for an unknown machine), and its readings, sorted and single."""
        rows = np.array([self._rows.get(name, -1) for name in samples.machines], dtype=np.int64)
        for refused in samples.refused:
            self._refuse(refused)
        at = samples.at_ms - self._origin
        series, value = samples.series.astype(np.int64), samples.value
        keep = (at >= -self._frame.margin_ms) & (at <= self._frame.length + self._frame.margin_ms)
        self._hear(samples.meaning, rows[series[keep]], at[keep])
        watts = np.append(self._watts, 0.0)[rows]
        for mask, reason in [
            (rows[series] < 0, "a machine that the site does not list"),
            *objections(value),
            (value > self._most(samples.meaning, watts)[series], "more than the machine can draw, or absurd"),
        ]:
            self._refuse_all(samples, keep & mask, reason)
            keep &= ~mask
        readings = Readings(series=series[keep], at=at[keep], value=value[keep], watts=watts)
        readings, conflicts = _single(readings)
        for refusal in conflicts:
            self._refuse(self._named(samples.machines[refusal.series], refusal), Flag.CONFLICT)
        self._readings += int(((readings.at >= 0) & (readings.at < self._frame.length)).sum())
        return rows, readings

    def _hear(self, meaning: Meaning, row: Ints, at: Ints) -> None:
        """Note of which hours readings tell, believed or not."""
        first = last = at
        if meaning is Meaning.INTERVAL_WH:
            length = self._frame.step_ms
            first, last = at - length + length // JITTER, at - length // JITTER - 1
        for hour in (first // HOUR_MS, last // HOUR_MS):
            within = (row >= 0) & (hour >= 0) & (hour < self._frame.hours)
            self._read_in[row[within], hour[within]] = True

    def _most(self, meaning: Meaning, watts: Floats) -> Floats:
        """The largest value (S,) that a reading may have by itself."""
        match meaning:
            case Meaning.COUNTER_WH:
                return np.full_like(watts, EXACT)
            case Meaning.INTERVAL_WH:
                return watts * (self._frame.step_ms / HOUR_MS)
            case _:
                return watts

    def _note(self, rows: Ints, derived: Derived) -> None:
        for flag, series in derived.flags:
            self._flags[int(rows[series])].add(flag)
        for refusal in derived.refusals:
            self._refuse(self._named(self._machines[int(rows[refusal.series])].name, refusal))

    def _refuse_all(self, samples: Samples, mask: Bools, reason: str) -> None:
        for i in np.flatnonzero(mask).tolist():
            at, value, series = int(samples.at_ms[i]) - self._origin, float(samples.value[i]), int(samples.series[i])
            refusal = Refusal(series=series, at=at, value=value, reason=reason)
            self._refuse(self._named(samples.machines[series], refusal))

    def _named(self, machine: str, refusal: Refusal) -> Refused:
        at = datetime.fromtimestamp(0, UTC) + (self._origin + refusal.at) * _MS
        return Refused(machine=machine, at=at, value=repr(refusal.value), reason=refusal.reason)

    def _refuse(self, refused: Refused, flag: Flag = Flag.REFUSED) -> None:
        """Note what was refused within the day; what lies in the margins is the neighbouring days' to note."""
        if refused.at is not None and not 0 <= milliseconds(refused.at) - self._origin < self._frame.length:
            return
        self._refused.append(refused)
        row = self._rows.get(refused.machine)
        if row is not None:
            self._flags[row].add(flag)
            if refused.at is not None:
                self._read_in[row, (milliseconds(refused.at) - self._origin) // HOUR_MS] = True


def _single(readings: Readings) -> tuple[Readings, list[Refusal]]:
    """The readings by series and instant, one for each: of several the smallest, the other values being conflicts."""
    series, at, value = readings.series, readings.at, readings.value
    same_or_back = (np.diff(series) < 0) | ((np.diff(series) == 0) & (np.diff(at) <= 0))
    if not same_or_back.any():
        return readings, []
    order = np.lexsort((value, at, series))
    series, at, value = series[order], at[order], value[order]
    again = np.zeros(len(at), dtype=np.bool_)
    again[1:] = (series[1:] == series[:-1]) & (at[1:] == at[:-1])
    other = np.zeros(len(at), dtype=np.bool_)
    other[1:] = again[1:] & (value[1:] != value[:-1])
    conflicts = [
        Refusal(
            series=int(series[i]),
            at=int(at[i]),
            value=float(value[i]),
            reason="conflict: a smaller value for the same time",
        )
        for i in np.flatnonzero(other).tolist()
    ]
    return Readings(series=series[~again], at=at[~again], value=value[~again], watts=readings.watts), conflicts


def _by_machine(*, present: Ints, rows: Ints, derived: Derived) -> tuple[Ints, NDArray[np.uint8]]:
    """Wh and quality (P, H) of the machines whose rows are `present`, from their series."""
    hours = derived.wh.shape[1]
    known = np.flatnonzero(rows >= 0)
    of = np.searchsorted(present, rows[known])
    wh = np.zeros((len(present), hours), dtype=np.int64)
    quality = np.zeros((len(present), hours), dtype=np.uint8)
    np.add.at(wh, of, derived.wh[known])
    np.maximum.at(quality, of, quality_by_hour(lower=derived.lower, shape=(len(rows), hours))[known])
    covered = _covered(machine=of, begins=derived.begins[known], ends=derived.ends[known], shape=(len(present), hours))
    quality[~covered] = Quality.MISSING
    wh[quality == Quality.MISSING] = 0
    return wh, quality


def _covered(*, machine: Ints, begins: Ints, ends: Ints, shape: tuple[int, int]) -> Bools:
    """Which hours (P, H) the series' spans, joined where they touch or overlap, hold wholly."""
    result = np.zeros(shape, dtype=np.bool_)
    spanning = ends > begins
    machine, begins, ends = machine[spanning], begins[spanning], ends[spanning]
    if not len(machine):
        return result
    order = np.lexsort((begins, machine))
    machine, begins, ends = machine[order], begins[order], ends[order]
    apart = machine * int(ends.max() - begins.min() + 1)  # moves each machine's spans beyond the one before's
    furthest = np.maximum.accumulate(ends + apart)
    new = np.ones(len(machine), dtype=np.bool_)
    new[1:] = (begins + apart)[1:] > furthest[:-1]
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(machine)) - 1
    start, end = begins[first], (furthest - apart)[last]
    hour = np.arange(shape[1]) * HOUR_MS
    whole = (start[:, None] <= hour) & (end[:, None] >= hour + HOUR_MS)
    np.logical_or.at(result, machine[first], whole)
    return result
