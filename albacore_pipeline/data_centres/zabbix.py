"""Zabbix 6.0: power in watts per host, as raw history, and as hourly trends where the history is gone.

Belongs here: the methods that read hosts, items, history and trends.
Does not belong here: the envelope (`zabbix_rpc.py`), power scripts (`zabbix_power.py`), what the samples amount to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.decode import Column, decoding, parse_number
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import listed, machine
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.data_centres.units import POWER
from albacore_pipeline.data_centres.zabbix_rpc import SessionLost, TooMuch, ZabbixRpc
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import ZabbixGauge

T = TypeVar("T")

HOUR = 3600
TREND_SHARE = 0.9  # of the expected samples an hourly trend must stand on
NUMERIC = ("0", "3")  # value types float and unsigned; `history.get` must name the right one or gives nothing


class _Tag(msgspec.Struct):
    tag: str
    value: str


class _Host(msgspec.Struct):
    hostid: str
    host: str
    tags: list[_Tag] = []


class _Item(msgspec.Struct):
    itemid: int
    hostid: str
    value_type: str
    units: str = ""


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
class _Meter:
    """The item that measures a machine, and the factor of its unit."""

    machine: str
    item: _Item
    factor: float


class ZabbixSource:
    """Reads one site's Zabbix with an API token. Implements `EnergySource`."""

    def __init__(
        self, *, interface: ZabbixGauge, batch: int, step: timedelta, rpc: ZabbixRpc, token: str, clock: Clock
    ) -> None:
        self._interface, self._batch, self._rpc, self._token, self._clock = interface, batch, rpc, token, clock
        self._expected = HOUR / step.total_seconds()  # samples an hour

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Every host that has the item. Zabbix knows the present only, whatever `as_of` says.

        Disabled hosts and items are listed too: they may have history in the day that is asked for next.
        """
        what = "the machines"
        items = self._call(what, "item.get", self._item_params(), list[_Item], lax=True)
        measured = {item.hostid for item in items}
        params = {"output": ["hostid", "host"], "selectTags": ["tag", "value"]}
        hosts = self._call(what, "host.get", params, list[_Host])
        found = [self._machine(host) for host in hosts if host.hostid in measured]
        return listed(machines=found, http=self._rpc.http)

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """Watts at the instants of `[window.start, window.end]`; then, if need be, hourly averages as their own batch.

        An average is handed out where the server has fewer points left of an hour than its trend was made from.
        """

        def ask(names: Sequence[str]) -> Iterator[Samples]:
            sieve = self._sieve(Meaning.GAUGE_W, names, window)
            meters = self._meters(names, sieve, keep_raw)
            counts: dict[tuple[int, int], int] = {}
            for kind in NUMERIC:
                group = {itemid: meter for itemid, meter in meters.items() if meter.item.value_type == kind}
                self._history(kind, group, window, sieve, counts, keep_raw)
            yield sieve.samples()
            trends = self._trends(names, meters, window, counts, keep_raw)
            if trends is not None:
                yield trends

        return in_batches(machines=machines, size=self._batch, window=window, http=self._rpc.http, ask=ask)

    def _sieve(self, meaning: Meaning, names: Sequence[str], window: Window) -> Sieve:
        return Sieve(meaning=meaning, asked=names, window=window, now=self._clock.now())

    def _machine(self, host: _Host) -> Machine:
        tags = {tag.tag: tag.value for tag in host.tags}
        return machine(name=host.host, labels=tags | {"rated_watts": tags.get(self._interface.rated_watts_tag, "")})

    def _item_params(self, hostids: Sequence[str] | None = None) -> dict[str, Any]:
        params = {
            "output": ["itemid", "hostid", "value_type", "units"],
            "filter": {"key_": self._interface.item_key},
        }
        return params if hostids is None else params | {"hostids": list(hostids)}

    def _meters(self, names: Sequence[str], sieve: Sieve, keep_raw: KeepRaw) -> dict[int, _Meter]:
        """The item of each machine. One that is no number, or whose unit is unknown, is refused as a whole."""
        params = {"output": ["hostid", "host"], "filter": {"host": list(names)}}
        hosts = {host.hostid: host.host for host in self._call("hosts", "host.get", params, list[_Host], keep_raw)}
        if not hosts:
            return {}
        items = self._call("items", "item.get", self._item_params(list(hosts)), list[_Item], keep_raw, lax=True)
        meters = {}
        for item in items:
            name, unit = hosts.get(item.hostid, ""), item.units.lstrip("!").lower() or "w"
            if item.value_type not in NUMERIC:
                sieve.refuse(name, None, f"value_type {item.value_type}", "the item does not hold numbers")
            elif unit not in POWER:
                sieve.refuse(name, None, f"units {item.units[:40]}", "the item's unit is no known unit of power")
            else:
                meters[item.itemid] = _Meter(machine=name, item=item, factor=POWER[unit])
        return meters

    def _history(
        self,
        kind: str,
        meters: Mapping[int, _Meter],
        window: Window,
        sieve: Sieve,
        counts: dict[tuple[int, int], int],
        keep_raw: KeepRaw,
    ) -> None:
        """Put the items' history into the sieve, and count its points per item and hour."""
        first, last = math.floor(window.start.timestamp()), math.ceil(window.end.timestamp())

        def ask(items: Sequence[int], begin: int, end: int) -> bytes:
            params = {
                "history": int(kind),
                "itemids": [str(item) for item in items],
                "time_from": begin,
                "time_till": end,
                "output": ["itemid", "clock", "value"],
            }
            return self._raw("history", "history.get", params, keep_raw)

        for body in self._in_parts(ask, list(meters), first, last):
            for itemid, column in self._by_item(body):
                meter = meters.get(itemid)
                name = meter.machine if meter else f"item {itemid}"
                sieve.add(machine=name, key=itemid, column=column, to_ms=1000.0, factor=meter.factor if meter else 1.0)
                hours, points = np.unique(column.stamp // HOUR, return_counts=True)
                for hour, count in zip(hours.astype(int).tolist(), points.tolist(), strict=True):
                    counts[itemid, hour] = counts.get((itemid, hour), 0) + count

    def _in_parts(
        self, ask: Callable[[Sequence[int], int, int], bytes], items: Sequence[int], first: int, last: int
    ) -> Iterator[bytes]:
        """The answers for all items and seconds `[first, last]`; what is too much for the server is halved."""
        if not items:
            return
        try:
            yield ask(items, first, last)
            return
        except TooMuch:
            if len(items) == 1 and last - first < HOUR:
                mend = "raise PHP's memory_limit at the site, or see its web server's log"
                failure = self._rpc.http.failure(what="history", cause="HTTP 500 for one item's hour", mend=mend)
                raise failure from None
        if len(items) > 1:
            half = len(items) // 2
            yield from self._in_parts(ask, items[:half], first, last)
            yield from self._in_parts(ask, items[half:], first, last)
        else:
            middle = (first + last) // 2
            yield from self._in_parts(ask, items, first, middle)
            yield from self._in_parts(ask, items, middle + 1, last)

    def _by_item(self, body: bytes) -> Iterator[tuple[int, Column]]:
        """Columns of each item. Rows come as objects of strings; those whose value is no number are set apart."""
        try:
            points = msgspec.json.decode(body, type=list[_Point], strict=False)
            unreadable: dict[int, list[tuple[float, str]]] = {}
        except msgspec.DecodeError:
            points, unreadable = self._one_by_one(body)
        items = _column(points, "itemid").astype(np.int64)
        stamps, values = _column(points, "clock"), _column(points, "value")
        order = np.argsort(items, kind="stable")
        ids, starts = np.unique(items[order], return_index=True)
        parts = np.split(order, starts[1:]) if len(ids) else []
        found = dict(zip(ids.tolist(), parts, strict=True))
        for itemid in found.keys() | unreadable.keys():
            rows = found.get(itemid, np.empty(0, dtype=np.int64))
            yield itemid, Column(stamp=stamps[rows], value=values[rows], unreadable=unreadable.get(itemid, []))

    def _one_by_one(self, body: bytes) -> tuple[list[_Point], dict[int, list[tuple[float, str]]]]:
        points, unreadable = [], dict[int, list[tuple[float, str]]]()
        with decoding(body=body, http=self._rpc.http, what="history"):
            rows = msgspec.json.decode(body, type=list[_Text], strict=False)
        for row in rows:
            number = parse_number(row.value)
            if number is None:
                unreadable.setdefault(row.itemid, []).append((row.clock, row.value))
            else:
                points.append(_Point(row.itemid, row.clock, number))
        return points, unreadable

    def _trends(
        self,
        names: Sequence[str],
        meters: Mapping[int, _Meter],
        window: Window,
        counts: Mapping[tuple[int, int], int],
        keep_raw: KeepRaw,
    ) -> Samples | None:
        """Hourly averages for the hours of which history has been deleted; None where there is none to ask for."""
        enough = TREND_SHARE * self._expected
        first, last = (int(at.timestamp()) // HOUR for at in (window.start, min(window.end, self._clock.now())))
        weak = [i for i in meters if any(counts.get((i, hour), 0) < enough for hour in range(first, last))]
        if not weak:
            return None
        params = {
            "itemids": [str(item) for item in weak],
            "time_from": first * HOUR,
            "time_till": last * HOUR - 1,
            "output": ["itemid", "clock", "num", "value_avg"],
        }
        trends = self._call("trends", "trend.get", params, list[_Trend], keep_raw, lax=True)
        sieve = self._sieve(Meaning.AVERAGE_W, names, window)
        for trend in trends:
            meter = meters.get(trend.itemid)
            if meter and trend.num >= enough and trend.num > counts.get((trend.itemid, trend.clock // HOUR), 0):
                column = Column(stamp=np.array([float(trend.clock)]), value=np.array([trend.value_avg]))
                sieve.add(machine=meter.machine, key=trend.itemid, column=column, to_ms=1000.0, factor=meter.factor)
        samples = sieve.samples()
        return samples if len(samples.value) or samples.refused else None

    def _call(
        self,
        what: str,
        method: str,
        params: Mapping[str, Any],
        kind: type[T],
        keep_raw: KeepRaw | None = None,
        lax: bool = False,
    ) -> T:
        """A method's result as `kind`; `lax` lets its numbers be strings."""
        try:
            body = self._raw(what, method, params, keep_raw)
        except TooMuch:
            mend = "raise PHP's memory_limit at the site, or lower the site's batch_machines"
            raise self._rpc.http.failure(what=what, cause="Zabbix broke off (HTTP 500)", mend=mend) from None
        with decoding(body=body, http=self._rpc.http, what=what):
            result = msgspec.json.decode(body, type=kind, strict=not lax)
        return result

    def _raw(self, what: str, method: str, params: Mapping[str, Any], keep_raw: KeepRaw | None) -> bytes:
        try:
            return self._rpc.raw(what=what, method=method, params=params, auth=self._token, keep_raw=keep_raw)
        except SessionLost:
            failure = self._rpc.http.failure(
                what=what, cause="the API token was refused", mend="check {prefix}_PASSWORD: it is the token"
            )
        raise failure


def _column(points: Sequence[_Point], name: str) -> NDArray[np.float64]:
    return np.fromiter(map(attrgetter(name), points), dtype=np.float64, count=len(points))
