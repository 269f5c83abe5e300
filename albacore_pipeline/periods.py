"""Site-local days and months, business days, and the Clock.

Belongs here: every conversion between a calendar day at a site and instants in UTC. Ranges are half-open.
Does not belong here: anything that reads the system's time on its own; rooms are handed a `Clock`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays

FIRST_DAY = date(2025, 1, 1)  # the first day partition
HOUR = timedelta(hours=1)


class Clock(Protocol):
    """Whoever needs the time is handed one of these."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class SandboxClock:
    """The sandbox's time: the machine's own, moved back by the offset that the sandbox keeps in a file.

    It runs on at the usual pace and never passes the machine's own time.
    """

    path: Path

    def now(self) -> datetime:
        """The present instant of the sandbox; raises FileNotFoundError where no sandbox was ever made."""
        offset = float(json.loads(self.path.read_text())["offset_seconds"])
        return datetime.now(UTC) + timedelta(seconds=min(0.0, offset))


@dataclass(frozen=True, order=True)
class Window:
    """A half-open range of instants `[start, end)`, aware, in UTC."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        """Whole hours in the window: 23, 24 or 25 for a day."""
        return round((self.end - self.start) / HOUR)

    def widened(self, margin: timedelta) -> Window:
        """The same window with a margin on both sides."""
        return Window(self.start - margin, self.end + margin)


def day_window(*, day: date, timezone: str) -> Window:
    """The instants of a calendar day at a place: `[local midnight, next local midnight)`.

    23 or 25 hours long where the clocks change. Both midnights are resolved by zoneinfo.
    """
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    return Window(start, end)


def local_day(*, at: datetime, timezone: str) -> date:
    """The calendar day at a place in which an instant lies."""
    return at.astimezone(ZoneInfo(timezone)).date()


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


@dataclass(frozen=True, order=True)
class DayRange:
    """Calendar days from `first` to `last`, both included, as people and the registry's files write them."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return days(self.first, self.last)


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, written `YYYY-MM`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `YYYY-MM`; raises ValueError with the mend for anything else."""
        try:
            first = datetime.strptime(text, "%Y-%m")
        except ValueError:
            raise ValueError(f"{text!r} is not a month: write it as 2025-10") from None
        return cls(first.year, first.month)

    @classmethod
    def of(cls, day: date) -> Month:
        """The month in which a day lies."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return self.next().first_day - timedelta(days=1)

    def next(self) -> Month:
        """The month after this one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def previous(self) -> Month:
        """The month before this one."""
        return Month.of(self.first_day - timedelta(days=1))

    def days(self) -> Iterator[date]:
        """Every day of the month."""
        return days(self.first_day, self.last_day)


@functools.cache
def _holidays(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


def is_business_day(*, day: date, country: str) -> bool:
    """Monday to Friday and no public holiday of the country (ISO 3166; source: the `holidays` library)."""
    return day.weekday() < 5 and day not in _holidays(country)


def add_business_days(*, day: date, count: int, country: str) -> date:
    """The `count`-th business day after `day`; with a count of 0, `day` itself or the next business day."""
    if count == 0:
        while not is_business_day(day=day, country=country):
            day += timedelta(days=1)
        return day
    for _ in range(count):
        day += timedelta(days=1)
        while not is_business_day(day=day, country=country):
            day += timedelta(days=1)
    return day
