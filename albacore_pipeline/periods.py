"""Site-local days and months, business days, and the Clock.

Belongs here: every conversion between a calendar day at a site and instants in UTC. Ranges are half-open.
Does not belong here: anything that reads the system's time on its own; rooms are handed a `Clock`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic as machine_seconds
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays
import httpx

from albacore_pipeline.tls import trusted

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


class ClockFailure(Exception):
    """The Clock can't be read. One line, with the mend."""


class HttpClock:
    """A played world's time, told at an address: GET answers `{"now": an instant with its offset}`.

    It is read at most once a second and runs on between the readings with the machine's monotonic time. It never goes
    back, and never passes the machine's own time. What can't be read is an error, never the machine's time instead.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = machine_seconds,
        system: Clock | None = None,
    ) -> None:
        fresh = httpx.Limits(max_keepalive_connections=0)  # a kept connection may be one that the other side has closed
        self._client = httpx.Client(transport=transport, limits=fresh, timeout=30, trust_env=False, verify=trusted())
        self._url = url
        self._monotonic = monotonic
        self._system = system or SystemClock()
        self._turn = threading.Lock()
        self._reading = self._latest = datetime.min.replace(tzinfo=UTC)
        self._read_at = float("-inf")

    def now(self) -> datetime:
        """The present instant, aware, in UTC. Raises ClockFailure."""
        with self._turn:
            if self._monotonic() - self._read_at >= 1:
                self._reading, self._read_at = self._read(), self._monotonic()
            running = self._reading + timedelta(seconds=self._monotonic() - self._read_at)
            self._latest = min(max(self._latest, running), self._system.now())
            return self._latest

    def read_again(self) -> None:
        """Let the next `now` ask: for whoever has just moved the time on."""
        with self._turn:
            self._read_at = float("-inf")

    def _read(self) -> datetime:
        try:
            reading = datetime.fromisoformat(self._client.get(self._url).raise_for_status().json()["now"])
            if reading.tzinfo is None:
                raise ValueError("an instant without its offset")
            return reading.astimezone(UTC)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, OverflowError):
            raise ClockFailure(
                'ALBACORE_CLOCK_URL: no time is told there; eval "$(albacore env)" starts the sandbox again'
            ) from None


@functools.cache
def clock_at(url: str) -> HttpClock:
    """The Clock that is told at an address, one per process and address."""
    return HttpClock(url)


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


@functools.lru_cache(maxsize=100_000)  # a hundred thousand documents have few due dates and countries
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
