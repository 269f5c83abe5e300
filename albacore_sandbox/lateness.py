"""How late a poor link brings a day: by the day's own key, so that it is the same every time.

Belongs here: when the readings of a day and a batch of machines arrive.
Does not belong here: delays that somebody switched on (`faults.py`).
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from albacore_sandbox.fleet import Fleet, uniform
from albacore_sandbox.truth import HOUR_MS, Hidden

BATCH = 10  # machines behind one link
WHOLE_DAY_LATE, BATCH_LATE = 0.12, 0.08  # shares of days


def hidden_until_arrival(fleet: Fleet, *, start_ms: int, end_ms: int, now_ms: int) -> list[Hidden]:
    """The readings between two instants that have not arrived yet.

    Most come at once; a late day, or the late part of one, comes 18 to 114 hours after the day's end, all at a time.
    """
    holes: list[Hidden] = []
    day, last = fleet.shape.local_day(start_ms), fleet.shape.local_day(end_ms)
    while day <= last:
        begin, end = fleet.shape.day(day)
        draws = _draws(fleet, day=day.toordinal())
        for batch, (late, days, cut) in enumerate(draws):
            arrival = end + (24 * int(days) - 6) * HOUR_MS
            if late and now_ms < arrival:
                rows = range(batch * BATCH, min(len(fleet), (batch + 1) * BATCH))
                from_ms = begin if cut < 0.5 else begin + round((end - begin) * (cut - 0.5) * 2)
                holes.append(Hidden(rows=rows, start_ms=from_ms, end_ms=end))
        day += timedelta(days=1)
    return holes


def _draws(fleet: Fleet, *, day: int) -> list[tuple[bool, float, float]]:
    """For each batch: whether it is late, by how many days (1 to 5), and where the late part begins (< 0.5: whole)."""
    batches = -(-len(fleet) // BATCH)
    keys = np.uint64(fleet.seed * 31 + day * 100_003) + np.arange(batches + 1, dtype=np.uint64) * np.uint64(65_537)
    chance, days, cut = uniform(keys), 1 + np.floor(uniform(keys + np.uint64(1)) * 5), uniform(keys + np.uint64(2))
    if chance[0] < WHOLE_DAY_LATE:
        return [(True, float(days[0]), 0.0)] * batches
    return list(zip((chance[1:] < BATCH_LATE).tolist(), days[1:].tolist(), cut[1:].tolist(), strict=True))
