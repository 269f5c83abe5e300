"""The hourly price of electricity in this world: one series, the same whenever it is asked for.

Belongs here: a plausible shape of days, weeks and seasons, now and then below zero, as a power exchange would publish
it. Does not belong here: who pays by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from albacore_sandbox.fleet import uniform

INDEX, CURRENCY, ZONE = "NO2", "NOK", ZoneInfo("Europe/Oslo")
HOUR = timedelta(hours=1)
# Shares of the day's level by the hour at the place: low at night, peaks in the morning and the evening.
SHAPE = (70, 66, 63, 62, 64, 74, 96, 122, 132, 121, 110, 104, 100, 97, 98, 104, 115, 131, 136, 125, 110, 98, 86, 76)
LEVELS = (88, 85, 74, 62, 52, 44, 40, 47, 55, 61, 72, 83)  # of the months, in hundredths of a crown


def hourly_prices(*, first: date, last: date) -> Iterator[tuple[str, str, str, Decimal]]:
    """Index, beginning of the hour with its offset, currency and price of a kWh, for days at the place."""
    start, end = (datetime.combine(day, time(), ZONE).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    hours = [(start + number * HOUR).astimezone(ZONE) for number in range((end - start) // HOUR)]
    chance_of_day = uniform(np.array([hour.toordinal() for hour in hours], np.uint64)).tolist()
    chance_of_hour = uniform(np.array([hour.timestamp() for hour in hours], np.uint64)).tolist()
    for hour, of_day, of_hour in zip(hours, chance_of_day, chance_of_hour, strict=True):
        yield INDEX, hour.isoformat(timespec="minutes"), CURRENCY, _price(hour, of_day, of_hour)


def _price(hour: datetime, of_day: float, of_hour: float) -> Decimal:
    """On one Sunday in eight the wind blows so much that the middle of the day costs less than nothing."""
    if hour.weekday() == 6 and of_day < 0.125 and 11 <= hour.hour < 16:
        return Decimal(round(-500 * of_hour)) / 10_000
    level = LEVELS[hour.month - 1] * (0.7 + 0.6 * of_day)
    return Decimal(round(level * SHAPE[hour.hour] * (0.95 + 0.1 * of_hour))) / 10_000
