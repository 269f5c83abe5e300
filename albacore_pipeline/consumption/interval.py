"""From the energy of intervals to the energy of hours.

Belongs here: spreading an interval's energy evenly and cutting it at hours; holes and overlaps between intervals.
Does not belong here: which readings are believable (`energy.py`).
"""

from __future__ import annotations

import numpy as np

from albacore_pipeline.consumption.quality import Flag, Quality
from albacore_pipeline.consumption.series import (
    Derived,
    Frame,
    Readings,
    Stretches,
    cut_at_hours,
    rounded_hours,
    spans,
    sum_by_hour,
)

JITTER = 10  # stamps may be off by one such part of an interval without making a hole or an overlap


def derive_intervals(*, readings: Readings, frame: Frame, length: int) -> Derived:
    """Energy of series in Wh of the `length` milliseconds that end at each stamp.

    An interval that begins well before the one before it has ended counts for its remainder only, flagged `conflict`:
    no stretch of time is counted twice.
    """
    follows, end = readings.follows(), readings.at
    before = np.where(follows, np.roll(end, 1), end - length)
    gap = end - length - before
    hole = gap > length // JITTER
    overlap = gap < -(length // JITTER)
    start = np.where(hole, end - length, before)
    rate = readings.value / np.where(overlap, length, end - start)
    pieces = cut_at_hours(start=start, end=end, hours=frame.hours)
    wh = sum_by_hour(
        series=readings.series[pieces.index],
        hour=pieces.hour,
        wh=rate[pieces.index] * (pieces.end - pieces.start),
        shape=(len(readings.watts), frame.hours),
    )
    lower = Stretches(
        series=readings.series[hole],
        start=before[hole],
        end=start[hole],
        quality=np.full(int(hole.sum()), Quality.MISSING, dtype=np.uint8),
    )
    first, last = spans(readings=readings)
    seen = overlap & (end > 0) & (start < frame.length)
    return Derived(
        wh=rounded_hours(wh=wh, lower=lower),
        begins=first - length * (np.diff(readings.bounds()) > 0),
        ends=last,
        lower=lower,
        flags=[(Flag.CONFLICT, int(series)) for series in np.unique(readings.series[seen])],
    )
