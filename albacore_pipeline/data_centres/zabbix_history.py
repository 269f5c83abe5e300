"""The history of one batch of Zabbix items, and the trends that stand in where history was deleted.

Belongs here: `history.get` and `trend.get`, and turning their rows into columns.
Does not belong here: which items there are (`zabbix.py`), and whether a reading is believable (`sift.py`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.data_centres.decode import Column, decoding, parse_number
from albacore_pipeline.data_centres.interface import KeepRaw
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.data_centres.zabbix_rpc import TokenCalls, TooMuch
from albacore_pipeline.periods import Window

HOUR = 3600
TREND_SHARE = 0.9  # of the expected samples an hourly trend must stand on
NUMERIC = ("0", "3")  # value types float and unsigned; `history.get` must name the right one or gives nothing

Unreadable = dict[int, list[tuple[float, str]]]


class _Point(msgspec.Struct, gc=False):
    itemid: int
    clock: int
    value: float


class _Text(msgspec.Struct, gc=False):
    itemid: int
    clock: int
    value: str


class _Trend(msgspec.Struct, gc=False):
    itemid: int
    clock: int
    num: int
    value_avg: float


@dataclass(frozen=True, kw_only=True)
class Meter:
    """The item that measures a machine: the type of its history, and the factor of its unit."""

    machine: str
    value_type: str
    factor: float


class History:
    """Reads what there is of some items in a window that is closed on both ends."""

    def __init__(self, *, calls: TokenCalls, meters: Mapping[int, Meter], window: Window, keep_raw: KeepRaw) -> None:
        self._calls, self._meters, self._keep_raw = calls, meters, keep_raw
        self._first, self._last = math.floor(window.start.timestamp()), math.ceil(window.end.timestamp())
        self._counts: Counter[tuple[int, int]] = Counter()  # points by item and UTC hour

    def points_into(self, sieve: Sieve) -> None:
        """Put the raw points into the sieve."""
        for kind in NUMERIC:
            items = [itemid for itemid, meter in self._meters.items() if meter.value_type == kind]
            for body in self._in_parts(kind, items, self._first, self._last):
                for itemid, column in self._columns(body):
                    self._count(itemid, column)
                    self._put(sieve, itemid, column)

    def averages_into(self, sieve: Sieve, *, step: timedelta, now: datetime) -> bool:
        """Put hourly averages into the sieve where history was deleted; False if there are none.

        It was if fewer points of the hour are left than its trend was made from. A trend counts if it was made from
        nearly all the points that were due.
        """
        enough = TREND_SHARE * HOUR / step.total_seconds()
        first, last = self._first // HOUR, min(self._last, int(now.timestamp())) // HOUR
        weak = [i for i in self._meters if any(self._counts[i, hour] < enough for hour in range(first, last))]
        if not weak:
            return False
        params = {
            "itemids": [str(itemid) for itemid in weak],
            "time_from": first * HOUR,
            "time_till": last * HOUR - 1,
            "output": ["itemid", "clock", "num", "value_avg"],
        }
        trends = self._calls.call(
            what="trends", method="trend.get", params=params, kind=list[_Trend], keep_raw=self._keep_raw, lax=True
        )
        deleted = [t for t in trends if t.num >= enough and t.num > self._counts[t.itemid, t.clock // HOUR]]
        for trend in deleted:
            column = Column(stamp=np.array([float(trend.clock)]), value=np.array([trend.value_avg]))
            self._put(sieve, trend.itemid, column)
        return bool(deleted)

    def _put(self, sieve: Sieve, itemid: int, column: Column) -> None:
        """An item that was not asked for goes in under a name that the sieve refuses."""
        meter = self._meters.get(itemid) or Meter(machine=f"item {itemid}", value_type="", factor=1.0)
        sieve.add(machine=meter.machine, key=itemid, column=column, to_ms=1000.0, factor=meter.factor)

    def _count(self, itemid: int, column: Column) -> None:
        hours, points = np.unique(column.stamp // HOUR, return_counts=True)
        for hour, count in zip(hours.tolist(), points.tolist(), strict=True):
            self._counts[itemid, int(hour)] += count

    def _in_parts(self, kind: str, items: Sequence[int], first: int, last: int) -> Iterator[bytes]:
        """The history of all items in the seconds `[first, last]`; what is too much for the server is halved."""
        if not items:
            return
        params = {
            "history": int(kind),
            "itemids": [str(itemid) for itemid in items],
            "time_from": first,
            "time_till": last,
            "output": ["itemid", "clock", "value"],
        }
        try:
            bodies = iter(
                [self._calls.raw(what="history", method="history.get", params=params, keep_raw=self._keep_raw)]
            )
        except TooMuch:
            bodies = self._in_halves(kind, items, first, last)
        yield from bodies

    def _in_halves(self, kind: str, items: Sequence[int], first: int, last: int) -> Iterator[bytes]:
        if len(items) > 1:
            half = len(items) // 2
            yield from self._in_parts(kind, items[:half], first, last)
            yield from self._in_parts(kind, items[half:], first, last)
        elif last - first >= HOUR:
            middle = (first + last) // 2
            yield from self._in_parts(kind, items, first, middle)
            yield from self._in_parts(kind, items, middle + 1, last)
        else:
            raise self._calls.too_much(what="history of one item's hour")

    def _columns(self, body: bytes) -> Iterator[tuple[int, Column]]:
        """Columns of each item. Rows come as objects of strings; those whose value is no number are set apart."""
        try:
            points, unreadable = msgspec.json.decode(body, type=list[_Point], strict=False), Unreadable()
        except msgspec.DecodeError:
            points, unreadable = self._one_by_one(body)
        items = _numbers(points, "itemid").astype(np.int64)
        stamps, values = _numbers(points, "clock"), _numbers(points, "value")
        order = np.argsort(items, kind="stable")
        ids, starts = np.unique(items[order], return_index=True)
        rows = dict(zip(ids.tolist(), np.split(order, starts)[1:], strict=True))
        for itemid in rows.keys() | unreadable.keys():
            chosen = rows.get(itemid, order[:0])
            yield itemid, Column(stamp=stamps[chosen], value=values[chosen], unreadable=unreadable.get(itemid, []))

    def _one_by_one(self, body: bytes) -> tuple[list[_Point], Unreadable]:
        points, unreadable = list[_Point](), Unreadable()
        with decoding(body=body, http=self._calls.http, what="history"):
            rows = msgspec.json.decode(body, type=list[_Text], strict=False)
        for row in rows:
            number = parse_number(row.value)
            if number is None:
                unreadable.setdefault(row.itemid, []).append((row.clock, row.value))
            else:
                points.append(_Point(row.itemid, row.clock, number))
        return points, unreadable


def _numbers(points: Sequence[_Point], name: str) -> NDArray[np.float64]:
    return np.fromiter(map(attrgetter(name), points), dtype=np.float64, count=len(points))
