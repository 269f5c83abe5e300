"""What machines truly draw in a month that has a day of 25 hours: watts that change every minute, known without error.

Belongs here: the truth, from watts and never from readings, and the span of time that the tests load.
Does not belong here: any arithmetic of the product, and what a site's meters make of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.periods import Window, day_window, days

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST_DAY, LAST_DAY = date(2025, 10, 1), date(2025, 10, 31)
MINUTE, HOUR = 60, 3600


def october(*, timezone: str) -> Window:
    """From the first local midnight of the month to the last one."""
    return Window(day_window(day=FIRST_DAY, timezone=timezone).start, day_window(day=LAST_DAY, timezone=timezone).end)


def span(*, timezone: str) -> tuple[int, int]:
    """The month with a day on both sides, in seconds since the epoch: what is loaded into a server."""
    wide = october(timezone=timezone).widened(timedelta(days=1))
    return seconds(wide.start), seconds(wide.end)


def seconds(at: datetime) -> int:
    """A whole instant in seconds since the epoch."""
    return int(at.timestamp())


def boundaries(window: Window) -> Ints:
    """The instants between which the hours of a window lie, both ends included, in seconds since the epoch."""
    return seconds(window.start) + HOUR * np.arange(window.hours + 1)


@dataclass(frozen=True, kw_only=True)
class Load:
    """Watts over time: constant from each instant to the next, or, where `straight`, on a straight line."""

    at: Ints  # (N,), ascending, seconds since the epoch
    watts: Floats  # (N,); the last one of a load that is not straight counts for nothing
    straight: bool = False

    def until(self, instants: Ints) -> Floats:
        """Wh drawn from the first instant to each of these."""
        later = np.append(self.watts[1:], self.watts[-1]) if self.straight else self.watts
        drawn = np.concatenate([[0.0], np.cumsum((self.watts + later)[:-1] / 2 * np.diff(self.at) / HOUR)])
        last = np.clip(np.searchsorted(self.at, instants, side="right") - 1, 0, len(self.at) - 2)
        since = instants - self.at[last]
        now = self.watts[last] + (later - self.watts)[last] * since / (self.at[last + 1] - self.at[last])
        result: Floats = drawn[last] + (self.watts[last] + now) / 2 * since / HOUR
        return result


def load(
    *, start: int, end: int, rated: int, rng: np.random.Generator, step: int = MINUTE, straight: bool = False
) -> Load:
    """New watts at each step: a daily wave with much noise, and three hours of no load at all."""
    at = np.arange(start, end + step, step, dtype=np.int64)
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * (at % 86_400) / 86_400 + rng.uniform(0, 6))
    watts: Floats = rated * np.clip(wave + rng.normal(0, 0.2, len(at)), 0.02, 1.0)
    count = 3 * HOUR // step
    idle = int(rng.integers(0, len(at) - count))
    watts[idle : idle + count] = 0
    return Load(at=at, watts=watts, straight=straight)


def stand_still_at_hours(*, drawn: Load, step: int) -> None:
    """Keep the watts from one reading to the next, `step` seconds later, wherever an hour begins between the two.

    No reading could tell what was drawn before the hour otherwise.
    """
    each = step // int(drawn.at[1] - drawn.at[0])
    steps = (len(drawn.at) - 1) // each
    by_step = drawn.watts[: steps * each].reshape(steps, each)  # a view: what is written here is the load's
    begins = drawn.at[: steps * each : each]
    over = begins // HOUR != (begins + step) // HOUR
    by_step[over] = by_step[over][:, :1]


def rounded(*, wh: Floats, timezone: str, known: NDArray[np.bool_] | None = None) -> Ints:
    """Whole Wh (H,) of the month's hours as the house rounds them: what a day has drawn so far, at each hour's end.

    Hours that are not known count for nothing, and are -1.
    """
    known = np.ones(len(wh), dtype=np.bool_) if known is None else known
    result, done = np.full(len(wh), -1, dtype=np.int64), 0
    for day in days(FIRST_DAY, LAST_DAY):
        part = slice(done, done + day_window(day=day, timezone=timezone).hours)
        so_far = np.floor(np.cumsum(np.where(known[part], wh[part], 0.0)) + 0.5).astype(np.int64)
        result[part], done = np.diff(so_far, prepend=0), part.stop
    return np.where(known, result, -1)
