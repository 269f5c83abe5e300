"""Stretches in which machines stood still by a verified power-off.

Belongs here: which hours lie wholly within one, and how a counter's hole is split by them.
Does not belong here: where they are known from (`albacore.off_span`), and when an hour of theirs is zero (`energy.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from albacore_pipeline.consumption.series import HOUR_MS, Bools, Floats, Frame, Ints, Readings
from albacore_pipeline.data_centres.sift import milliseconds
from albacore_pipeline.periods import Window


@dataclass(frozen=True, kw_only=True)
class Rests:
    """Stretches `[start, end)` in which a row stood still, by row and start, disjoint within a row.

    Rows are a day's machines, or the series of a batch. Instants are milliseconds after the day's start.
    """

    row: Ints
    start: Ints
    end: Ints

    def whole_hours(self, *, rows: int, hours: int) -> Bools:
        """Which hours (rows, hours) lie wholly within one."""
        first = np.clip(-(-self.start // HOUR_MS), 0, hours)
        last = np.maximum(np.clip(self.end // HOUR_MS, 0, hours), first)
        edges = np.zeros((rows, hours + 1), dtype=np.int64)
        np.add.at(edges, (self.row, first), 1)
        np.add.at(edges, (self.row, last), -1)
        whole: Bools = np.cumsum(edges, axis=1)[:, :hours] > 0
        return whole

    def of(self, rows: Ints) -> Rests:
        """Those of series, where series s belongs to the row `rows[s]`."""
        first = np.searchsorted(self.row, rows)
        count = np.searchsorted(self.row, rows, side="right") - first
        series = np.repeat(np.arange(len(rows)), count)
        index = first[series] + np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count)
        return Rests(row=series, start=self.start[index], end=self.end[index])


def rests(*, off: Mapping[str, Sequence[Window]], rows: Mapping[str, int], frame: Frame, origin: int) -> Rests:
    """The spans of the machines that have a row, as far as the day and its margins reach. `origin`: the day's start."""
    found = [
        (rows[machine], milliseconds(span.start) - origin, milliseconds(span.end) - origin)
        for machine in sorted(off.keys() & rows.keys(), key=rows.__getitem__)
        for span in off[machine]
    ]
    row, start, end = np.array(found, dtype=np.int64).reshape(-1, 3).T
    first, last = -frame.margin_ms, frame.length + frame.margin_ms
    start, end = np.clip(start, first, last), np.clip(end, first, last)
    some = end > start
    return Rests(row=row[some], start=start[some], end=end[some])


@dataclass(frozen=True, kw_only=True)
class Stands:
    """Parts of a counter's holes in which it stood: part i, of the hole that ends at reading `hole`, at `value`.

    `drew` are the holes, by the reading that ends each, over which a counter rose by more than it could in their rest.
    """

    hole: Ints
    start: Ints
    end: Ints
    value: Floats
    drew: Ints


def stands(*, readings: Readings, rise: Floats, holes: Ints, rests: Rests) -> Stands:
    """Where counters stood in their holes: a hole's rise lies in its rest only, evenly.

    `rise` (N,) is the energy of the step that ends at each reading, `holes` the readings that end a hole.
    """
    step, rest = _meetings(readings=readings, holes=holes, rests=rests)
    start = np.maximum(rests.start[rest], readings.at[step - 1])
    end = np.minimum(rests.end[rest], readings.at[step])
    still, first = np.zeros(len(rise), dtype=np.int64), np.searchsorted(step, step)
    np.add.at(still, step, end - start)
    awake = np.diff(readings.at, prepend=0) - still
    drew = rise > readings.watts[readings.series] * awake / HOUR_MS
    since = np.concatenate([[0], np.cumsum(end - start)])
    before = start - readings.at[step - 1] - (since[:-1] - since[first])  # how long it was awake by then
    moved = np.floor(np.maximum(rise[step], 0.0) * before / np.maximum(awake[step], 1))
    kept = ~drew[step]
    return Stands(
        hole=step[kept],
        start=start[kept],
        end=end[kept],
        value=(readings.value[step - 1] + moved)[kept],
        drew=np.unique(step[~kept]),
    )


def _meetings(*, readings: Readings, holes: Ints, rests: Rests) -> tuple[Ints, Ints]:
    """Pairs of a hole and a rest that share some time, in the order of both."""
    concerned = holes[np.isin(readings.series[holes], rests.row)]
    series = readings.series[concerned]
    first = np.searchsorted(rests.row, series)
    count = np.searchsorted(rests.row, series, side="right") - first
    step = np.repeat(concerned, count)
    rest = np.repeat(first, count) + np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count)
    meet = (rests.start[rest] < readings.at[step]) & (rests.end[rest] > readings.at[step - 1])
    return step[meet], rest[meet]
