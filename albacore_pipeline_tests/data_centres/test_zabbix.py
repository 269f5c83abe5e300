from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import FailedRead, Machine, Meaning
from albacore_pipeline.periods import Window
from albacore_pipeline_tests.data_centres.wire import END, PASSWORD, START, Wire, always, ms, read, reply, table

T = round(START.timestamp())
HOUR = 3600


@dataclass
class Zabbix:
    """As much of a frontend as the adapter asks. `history` and `trends` hold rows as the API writes them."""

    history: list[tuple[int, int, str]] = field(default_factory=list)
    trends: list[tuple[int, int, int, float]] = field(default_factory=list)
    value_type: str = "0"
    units: str = "W"
    most_rows: int = 10_000
    hosts: Sequence[str] = ("FI-0001", "FI-0002")
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        assert call["auth"] == PASSWORD
        assert "authorization" not in request.headers
        method, params = call["method"], call["params"]
        self.calls.append((method, params))
        result = {
            "host.get": self._hosts,
            "item.get": self._items,
            "history.get": self._history,
            "trend.get": self._trends,
        }[method](params)
        if result is None:
            return reply(b"", status=500)
        return reply({"jsonrpc": "2.0", "result": result, "id": call["id"]})

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]

    def _hosts(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        tags = [{"tag": "rated_watts", "value": "3400"}, {"tag": "hall", "value": "2"}]
        wanted = params.get("filter", {}).get("host", self.hosts)
        return [{"hostid": f"1{host[-4:]}", "host": host, "tags": tags} for host in self.hosts if host in wanted]

    def _items(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        assert params["filter"] == {"key_": "power.active"}
        ids = params.get("hostids", [f"1{host[-4:]}" for host in self.hosts])
        return [
            {"itemid": f"2{hid[1:]}", "hostid": hid, "value_type": self.value_type, "units": self.units} for hid in ids
        ]

    def _history(self, params: dict[str, Any]) -> list[dict[str, str]] | None:
        assert params["history"] == int(self.value_type)
        rows = [
            {"itemid": str(item), "clock": str(clock), "value": value}
            for item, clock, value in self.history
            if str(item) in params["itemids"] and params["time_from"] <= clock <= params["time_till"]
        ]
        return rows if len(rows) <= self.most_rows else None

    def _trends(self, params: dict[str, Any]) -> list[dict[str, str]]:
        return [
            {"itemid": str(item), "clock": str(clock), "num": str(num), "value_avg": str(average)}
            for item, clock, num, average in self.trends
            if str(item) in params["itemids"] and params["time_from"] <= clock <= params["time_till"]
        ]


def full(item: int, hours: int = 24, *, first: int = 0) -> list[tuple[int, int, str]]:
    return [(item, T + n * 300, "2500.5") for n in range(first * 12, hours * 12)]


def test_history_is_read_as_floats_of_the_closed_window() -> None:
    zabbix = Zabbix(history=[*full(20001), (20001, T + 24 * HOUR, "7"), *full(20002)])
    batches, raw = read(Wire(zabbix).source("finland"), "FI-0001", "FI-0002")
    assert len(batches) == 1
    assert batches[0].meaning is Meaning.GAUGE_W
    rows = table(batches[0])
    assert len(rows) == 2 * 288 + 1
    assert rows[0] == ("FI-0001", ms(START), 2500.5)
    assert rows[288] == ("FI-0001", ms(END), 7.0)
    assert len(raw) == 3  # hosts and items say what the numbers of the history mean
    assert zabbix.asked("trend.get") == []


def test_what_is_too_much_for_the_server_is_halved_until_it_fits() -> None:
    zabbix = Zabbix(history=full(20001) + full(20002), most_rows=100)
    (samples,), _ = read(Wire(zabbix).source("finland"), "FI-0001", "FI-0002")
    assert len(table(samples)) == 2 * 288
    assert len(set(table(samples))) == 2 * 288


def test_a_server_that_can_not_even_give_an_hour_is_a_failed_read() -> None:
    with pytest.raises(FailedRead, match="history of one item's hour: Zabbix broke off"):
        read(Wire(Zabbix(history=full(20001), most_rows=0)).source("finland"), "FI-0001")


def test_what_can_be_no_reading_is_refused_and_the_rest_kept() -> None:
    history = [(20001, T, "none"), (20001, T + 1, "-4"), (20001, T + 2, "9.5"), (20002, T, "1e999")]
    (samples,), _ = read(Wire(Zabbix(history=history)).source("finland"), "FI-0001", "FI-0002")
    assert table(samples) == [("FI-0001", ms(START) + 2000, 9.5)]
    assert sorted(r.reason for r in samples.refused) == ["negative", "not a finite number", "not a number"]


def test_unsigned_items_are_asked_for_as_such_and_kilowatts_are_converted() -> None:
    zabbix = Zabbix(history=[(20001, T, "3")], value_type="3", units="kW")
    (samples,), _ = read(Wire(zabbix).source("finland"), "FI-0001")
    assert table(samples) == [("FI-0001", ms(START), 3000.0)]


@pytest.mark.parametrize(("value_type", "units", "reason"), [("4", "W", "numbers"), ("0", "BTU/h", "unit")])
def test_an_item_that_measures_no_power_is_refused(value_type: str, units: str, reason: str) -> None:
    zabbix = Zabbix(history=full(20001), value_type=value_type, units=units)
    (samples,), _ = read(Wire(zabbix).source("finland"), "FI-0001")
    assert len(samples.value) == 0
    assert reason in samples.refused[0].reason
    assert zabbix.asked("history.get") == []


def test_trends_stand_in_only_for_history_that_was_deleted() -> None:
    enough, few = 11, 10
    trends = [
        (20001, T + 0 * HOUR, enough, 2400.0),  # no history left
        (20001, T + 1 * HOUR, few, 2400.0),  # made from too few samples
        (20001, T + 2 * HOUR, enough, 2400.0),  # all that the trend was made from is still there: a true hole
        (20001, T + 3 * HOUR, 12, 2400.0),  # part of its history was deleted
    ]
    history = [*full(20001, 3, first=2)[:11], *full(20001, 4, first=3)[6:], *full(20001, 24, first=4)]
    zabbix = Zabbix(history=history, trends=trends)
    batches, _ = read(Wire(zabbix).source("finland"), "FI-0001")
    assert [samples.meaning for samples in batches] == [Meaning.GAUGE_W, Meaning.AVERAGE_W]
    assert table(batches[1]) == [("FI-0001", ms(START), 2400.0), ("FI-0001", ms(START) + 3 * HOUR * 1000, 2400.0)]


def test_hours_that_are_not_over_need_no_trend() -> None:
    zabbix = Zabbix(history=full(20001, 24 + 14))
    read(Wire(zabbix).source("finland"), "FI-0001", window=Window(START, END + timedelta(days=5)))
    assert zabbix.asked("trend.get") == []


def test_machines_are_the_hosts_that_have_the_item() -> None:
    zabbix = Zabbix(hosts=("FI-0002", "FI-0001"))
    assert Wire(zabbix).source("finland").machines(as_of=END) == [
        Machine(name="FI-0001", rated_watts=3400),
        Machine(name="FI-0002", rated_watts=3400),
    ]


def error(code: int, message: str, data: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": data}, "id": 1}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(b""), "empty"),
        (reply(b"<html>Zabbix is unavailable"), "web page"),
        (reply(error(-32602, "Invalid params.", "Session terminated, re-login, please.")), "it is the token"),
        (reply(error(-32602, "Invalid params.", "Not authorized.")), "it is the token"),
        (reply(error(-32500, "Application error.", "No permissions.")), "Application error. No permissions."),
        (reply({"jsonrpc": "2.0", "result": [], "id": 99}), "another call"),
        (reply({"jsonrpc": "2.0", "id": 1}), "another call"),
        (reply({"jsonrpc": "2.0", "result": {}, "id": 1}), "another shape"),
        (reply(b"", status=412), "HTTP 412"),
        (reply(b"", status=500), "Zabbix broke off"),
    ],
)
def test_an_answer_that_is_no_data_is_a_failed_read(answer: httpx.Response, cause: str) -> None:
    with pytest.raises(FailedRead, match=re.escape(cause)) as caught:
        read(always(answer).source("finland"), "FI-0001")
    assert PASSWORD not in str(caught.value)


def test_an_answer_cut_anywhere_is_a_failed_read() -> None:
    zabbix = Zabbix(history=[(20001, T, "2500"), (20001, T + 300, "2600")])
    whole = len(zabbix(history_request()).read())
    for cut in range(whole):

        def handler(request: httpx.Request, cut: int = cut) -> httpx.Response:
            answer = zabbix(request)
            return reply(answer.read()[:cut]) if b"history.get" in request.content else answer

        with pytest.raises(FailedRead):
            read(Wire(handler).source("finland"), "FI-0001")


def history_request() -> httpx.Request:
    params = {"history": 0, "itemids": ["20001"], "time_from": T, "time_till": T + 300}
    call = {"jsonrpc": "2.0", "method": "history.get", "params": params, "auth": PASSWORD, "id": 3}
    return httpx.Request("POST", "http://site.test/base/api_jsonrpc.php", json=call)


def test_machines_that_the_site_does_not_know_are_a_failed_read_and_ask_for_nobody_s_items() -> None:
    zabbix = Zabbix(history=full(20001))
    with pytest.raises(FailedRead, match="none for any of 1 machines"):
        read(Wire(zabbix).source("finland"), "FI-0009")
    assert [method for method, _ in zabbix.calls] == ["host.get"]
