"""From watts at instants to watt-hours.

Belongs here: the trapezoid rule, over steps that are not too long. A longer one leaves its hours missing.
Does not belong here: which readings are believable (`energy.py`).
"""

from __future__ import annotations

import numpy as np

from albacore_pipeline.consumption.quality import Quality
from albacore_pipeline.consumption.series import (
    HOUR_MS,
    LONG_STEPS,
    Derived,
    Frame,
    Readings,
    Stretches,
    cut_at_hours,
    rounded_hours,
    spans,
    sum_by_hour,
)


def derive_gauge(*, readings: Readings, frame: Frame) -> Derived:
    """Energy of series in W. Power runs straight from one reading to the next."""
    later = np.flatnonzero(readings.follows())
    series, start, end = readings.series[later], readings.at[later - 1], readings.at[later]
    power, slope = readings.value[later - 1], (readings.value[later] - readings.value[later - 1]) / (end - start)
    gap = end - start > LONG_STEPS * frame.step_ms
    pieces = cut_at_hours(start=start, end=np.where(gap, start, end), hours=frame.hours)
    since = (pieces.start + pieces.end) / 2 - start[pieces.index]  # the mean of a straight line is its middle
    watts = power[pieces.index] + slope[pieces.index] * since
    shape = (len(readings.watts), frame.hours)
    energy = np.maximum(watts, 0.0) * (pieces.end - pieces.start) / HOUR_MS
    lower = Stretches(
        series=series[gap],
        start=start[gap],
        end=end[gap],
        quality=np.full(int(gap.sum()), Quality.MISSING, dtype=np.uint8),
    )
    wh = sum_by_hour(series=series[pieces.index], hour=pieces.hour, wh=energy, shape=shape)
    begins, ends = spans(readings=readings)
    return Derived(wh=rounded_hours(wh=wh, lower=lower), begins=begins, ends=ends, lower=lower)
