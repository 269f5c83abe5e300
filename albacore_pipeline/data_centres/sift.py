"""Which readings are let in: the gate that every source's readings pass.

Belongs here: refusing what can't be a reading (no number, negative, from the future, a machine nobody asked for).
Does not belong here: what needs a machine's rating or its neighbours in time (`consumption/`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.data_centres.decode import Column
from albacore_pipeline.data_centres.interface import Meaning, Refused, Samples
from albacore_pipeline.periods import Window

SKEW = timedelta(minutes=2)  # how far a site's clock may be ahead of ours

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_MS = 253_402_300_799_000  # the last second of the year 9999, beyond which no datetime goes


def milliseconds(at: datetime) -> int:
    """Milliseconds since the epoch, exactly."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant(ms: float) -> datetime | None:
    """The instant of a stamp in milliseconds since the epoch, or None for a stamp that no calendar has."""
    return _EPOCH + timedelta(milliseconds=int(ms)) if 0 <= ms <= _NEVER_MS else None


def objections(value: NDArray[np.float64]) -> list[tuple[NDArray[np.bool_], str]]:
    """Masks of the values that no meter can have measured, with the reason of each."""
    finite = np.isfinite(value)
    return [(~finite, "not a finite number"), (finite & (value < 0), "negative")]


class Sieve:
    """Takes in one batch's readings, series by series, and hands them out as `Samples` with what was refused.

    Readings outside `[window.start, window.end]` are passed over without a word: sources may ask wider than needed.
    """

    def __init__(self, *, meaning: Meaning, asked: Collection[str], window: Window, now: datetime) -> None:
        self._meaning, self._asked = meaning, frozenset(asked)
        self._first, self._last = milliseconds(window.start), milliseconds(window.end)
        self._now = milliseconds(now + SKEW)
        self._series: dict[Hashable, int] = {}
        self._machines: list[str] = []
        self._parts: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]] = []
        self._refused: list[Refused] = []

    def add(self, *, machine: str, key: Hashable, column: Column, to_ms: float = 1.0, factor: float = 1.0) -> None:
        """Take in readings of the series that `key` identifies. `to_ms` and `factor` turn stamps and values around."""
        if machine not in self._asked:
            stamps = sorted([*column.stamp.tolist(), *(stamp for stamp, _ in column.unreadable)])
            if stamps:  # one in the middle stands for all: what lies at the ends is the neighbouring days' to note
                middle = stamps[len(stamps) // 2] * to_ms
                self.refuse(machine, middle, f"{len(stamps)} readings", "a machine that was not asked for")
            return
        for stamp, text in column.unreadable:
            if self._first <= stamp * to_ms <= self._last:
                self.refuse(machine, stamp * to_ms, text[:100], "not a number")
        index = self._series.setdefault(key, len(self._series))
        if index == len(self._machines):
            self._machines.append(machine)
        self._parts.append((index, column.stamp * to_ms, column.value * factor))

    def refuse(self, machine: str, ms: float | None, value: str, reason: str) -> None:
        """Note a reading that is not let in."""
        at = None if ms is None else instant(ms)
        self._refused.append(Refused(machine=machine, at=at, value=value, reason=reason))

    def samples(self) -> Samples:
        """Everything that was let in so far, and everything that was not."""
        counts = [len(stamps) for _, stamps, _ in self._parts]
        series = np.repeat(np.array([index for index, _, _ in self._parts], dtype=np.int32), counts)
        stamp = np.rint(np.concatenate([np.empty(0), *(stamps for _, stamps, _ in self._parts)]))
        value = np.concatenate([np.empty(0), *(values for _, _, values in self._parts)])
        inside = (stamp >= self._first) & (stamp <= self._last)
        at_ms = np.where(inside, stamp, 0).astype(np.int64)
        keep = inside
        for mask, reason in [*objections(value), (at_ms > self._now, "in the future")]:
            for i in np.flatnonzero(keep & mask).tolist():
                self.refuse(self._machines[series[i]], float(at_ms[i]), repr(float(value[i])), reason)
            keep = keep & ~mask
        return Samples(
            meaning=self._meaning,
            machines=list(self._machines),
            series=series[keep],
            at_ms=at_ms[keep],
            value=value[keep],
            refused=list(self._refused),
        )
