"""Zabbix 6.0: power in watts per host, as raw history, and as hourly trends where the history is gone.

Belongs here: hosts and items, and which batches they make.
Does not belong here: history and trends (`zabbix_history.py`), the envelope (`zabbix_rpc.py`), power scripts
(`zabbix_power.py`), and what the samples amount to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import listed, machine
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.data_centres.units import POWER
from albacore_pipeline.data_centres.zabbix_history import NUMERIC, History, Meter
from albacore_pipeline.data_centres.zabbix_rpc import TokenCalls
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import ZabbixGauge


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


class ZabbixSource:
    """Reads one site's Zabbix with an API token. Implements `EnergySource`."""

    def __init__(self, *, interface: ZabbixGauge, batch: int, step: timedelta, calls: TokenCalls, clock: Clock) -> None:
        self._interface, self._batch, self._step, self._calls, self._clock = interface, batch, step, calls, clock

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Every host that has the item. Zabbix knows the present only, whatever `as_of` says.

        Disabled hosts and items are listed too: they may have history in the day that is asked for next.
        """
        what = "the machines"
        items = self._calls.call(what=what, method="item.get", params=self._items(), kind=list[_Item], lax=True)
        measured = {item.hostid for item in items}
        params = {"output": ["hostid", "host"], "selectTags": ["tag", "value"]}
        hosts = self._calls.call(what=what, method="host.get", params=params, kind=list[_Host])
        return listed(
            machines=[self._machine(host) for host in hosts if host.hostid in measured], http=self._calls.http
        )

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """Watts at the instants of `[window.start, window.end]`; then, if need be, hourly averages as their own batch.

        Raises FailedRead.
        """

        def ask(names: Sequence[str]) -> Iterator[Samples]:
            now = self._clock.now()
            points = Sieve(meaning=Meaning.GAUGE_W, asked=names, window=window, now=now)
            averages = Sieve(meaning=Meaning.AVERAGE_W, asked=names, window=window, now=now)
            meters = self._meters(names, points, keep_raw)
            history = History(calls=self._calls, meters=meters, window=window, keep_raw=keep_raw)
            history.points_into(points)
            yield points.samples()
            if history.averages_into(averages, step=self._step, now=now):
                yield averages.samples()

        return in_batches(machines=machines, size=self._batch, window=window, http=self._calls.http, ask=ask)

    def _machine(self, host: _Host) -> Machine:
        tags = {tag.tag: tag.value for tag in host.tags}
        return machine(name=host.host, labels=tags | {"rated_watts": tags.get(self._interface.rated_watts_tag, "")})

    def _items(self) -> dict[str, Any]:
        output = ["itemid", "hostid", "value_type", "units"]
        return {"output": output, "filter": {"key_": self._interface.item_key}}

    def _meters(self, names: Sequence[str], sieve: Sieve, keep_raw: KeepRaw) -> dict[int, Meter]:
        """The item of each machine. One that is no number, or whose unit is unknown, is refused as a whole.

        These answers are kept too: they say what the numbers of the history mean. An item without a unit is in watts,
        as the site's entry declares.
        """
        params: dict[str, Any] = {"output": ["hostid", "host"], "filter": {"host": list(names)}}
        found = self._calls.call(
            what="the hosts", method="host.get", params=params, kind=list[_Host], keep_raw=keep_raw
        )
        hosts = {host.hostid: host.host for host in found}
        if not hosts:
            return {}
        params = self._items() | {"hostids": list(hosts)}
        items = self._calls.call(
            what="the items", method="item.get", params=params, kind=list[_Item], keep_raw=keep_raw, lax=True
        )
        meters = {}
        for item in items:
            name, unit = hosts.get(item.hostid, ""), item.units.lstrip("!").lower() or "w"
            if item.value_type not in NUMERIC:
                sieve.refuse(name, None, f"value_type {item.value_type}", "the item does not hold numbers")
            elif unit not in POWER:
                sieve.refuse(name, None, f"units {item.units[:40]}", "the item's unit is no known unit of power")
            else:
                meters[item.itemid] = Meter(machine=name, value_type=item.value_type, factor=POWER[unit])
        return meters
