"""How good an hour's energy is, and what else there is to say about a machine's day.

Belongs here: the words and their order. Does not belong here: when they apply (`counter.py`, `gauge.py`,
`interval.py`).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """The quality of an hour, the worse the higher. A day is as bad as its worst hour."""

    MEASURED = 0
    INTERPOLATED = 1  # within a gap of at most a day whose total a counter kept
    ESTIMATED = 2  # within a longer one
    MISSING = 3  # never zero: not known


class Flag(StrEnum):
    """What happened in a machine's day."""

    CONFLICT = "conflict"  # two values for one stretch of time; the smaller counts
    OFF = "off"  # hours without a reading in which it stood still by a verified power-off
    REFUSED = "refused"  # readings were not let in
    RESET = "reset"  # a counter began anew
    ROLLOVER = "rollover"  # a counter went over its width
    TREND = "trend"  # hours stand on the site's own averages
    UNRATED = "unrated"  # nobody knows the machine's rating; the site's bound was used
