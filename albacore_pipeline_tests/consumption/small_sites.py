"""A data centre of a few machines behind each interface, small enough to be damaged byte by byte.

Belongs here: answers as the real servers write them, and a collection of a day from them into a database.
Does not belong here: what a test expects.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import sqlalchemy as sa

from albacore_pipeline.archive import Archive
from albacore_pipeline.consumption.collect import Collected, collect_day
from albacore_pipeline.data_centres.connect import energy_source
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.http import HttpOptions
from albacore_pipeline.data_centres.interface import EnergySource
from albacore_pipeline.database import sync_sites
from albacore_pipeline.periods import day_window
from albacore_pipeline.sites import SITES, InfluxGauge, PrometheusCounter, Site, VictoriaIntervals, ZabbixGauge
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.data_centres.wire import form, reply

DAY = date(2025, 10, 20)
NOW = utc("2026-06-01T06:00")
HOUR_MS = 3_600_000
RATED = 3000
Points = Sequence[tuple[int, Any]]
"""(ms since the epoch, value as the site writes it)"""
Damage = Callable[[bytes], bytes]


@dataclass
class SmallSite:
    """Serves the same readings whatever is asked; `damage` is done to the answer that holds them."""

    site: Site
    machines: Mapping[str, Points]
    damage: Damage = bytes
    declared: int | None = None  # the length that the answer of readings declares; its own if None
    present: bool = True  # whether the site lists its machines now, not only in the past
    stream: httpx.SyncByteStream | None = None  # what comes instead of the readings

    def source(self, **options: Any) -> EnergySource:
        patience = HttpOptions(transport=httpx.MockTransport(self), sleep=lambda _: None, **options)
        endpoint = Endpoint(url="http://site.test", username="billing", password="token")
        return energy_source(site=self.site, endpoint=endpoint, clock=FrozenClock(NOW), options=patience)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content) if "json" in request.headers["content-type"] else form(request)
        serve = {
            PrometheusCounter: self._prometheus,
            ZabbixGauge: self._zabbix,
            InfluxGauge: self._influx,
            VictoriaIntervals: self._victoria,
        }[type(self.site.energy)]
        answer, holds_readings = serve(call, request.url.path)
        if not holds_readings:
            return reply(answer)
        if self.stream:
            return httpx.Response(200, stream=self.stream)
        body = self.damage(answer)
        length = {} if self.declared is None else {"content-length": str(self.declared)}
        return reply(body, headers=length)

    def _listed(self, at: float) -> list[str]:
        return list(self.machines) if self.present or at < NOW.timestamp() else []

    def _wanted(self, text: str) -> dict[str, Points]:
        """The machines that a selector names, and those that no selector of ours would: the site's own mistakes."""
        return {machine: points for machine, points in self.machines.items() if machine in text}

    def _prometheus(self, call: dict[str, str], path: str) -> tuple[bytes, bool]:
        if path.endswith("/series"):
            described = [_labels(machine) for machine in self._listed(float(call["end"]))]
            return json.dumps(
                {"status": "success", "data": described if "info" in call["match[]"] else []}
            ).encode(), False
        if "[" not in call["query"]:
            return _success({"resultType": "vector", "result": []}), False
        result = [
            {"metric": {"machine": machine}, "values": [[ms / 1000, _text(value)] for ms, value in points]}
            for machine, points in self._wanted(call["query"]).items()
        ]
        return _success({"resultType": "matrix", "result": result}), True

    def _victoria(self, call: dict[str, str], path: str) -> tuple[bytes, bool]:
        if path.endswith("/query"):
            listed = self._listed(float(call["time"])) if "info" in call["query"] else []
            result = [{"metric": _labels(machine), "value": [1, "1"]} for machine in listed]
            return _success({"resultType": "vector", "result": result}), False
        lines = [
            {
                "metric": {"machine": machine},
                "values": [value for _, value in points],
                "timestamps": [ms for ms, _ in points],
            }
            for machine, points in self._wanted(call["match[]"]).items()
        ]
        return "".join(json.dumps(line) + "\n" for line in lines).encode(), True

    def _influx(self, call: dict[str, str], path: str) -> tuple[bytes, bool]:
        if call["q"].startswith("SHOW"):
            return b'{"results":[{"statement_id":0}]}\n', False
        if "LAST" in call["q"]:
            described = [
                {
                    "tags": {"host": machine},
                    "columns": ["time", "last"],
                    "values": [[1, RATED]],
                }
                for machine in self.machines
            ]
            return json.dumps({"results": [{"series": described}]}).encode() + b"\n", False
        series = [
            {"tags": {"host": machine}, "columns": ["time", "watts"], "values": [[ms, value] for ms, value in points]}
            for machine, points in self._wanted(call["q"].replace("\\", "")).items()
        ]
        return json.dumps({"results": [{"series": series}]}).encode() + b"\n", True

    def _zabbix(self, call: dict[str, Any], path: str) -> tuple[bytes, bool]:
        ids = {machine: str(number + 1) for number, machine in enumerate(self.machines)}
        params = call["params"]
        match call["method"]:
            case "host.get":
                wanted = params.get("filter", {}).get("host", list(ids))
                tags = {machine: [{"tag": "rated_watts", "value": str(RATED)}] for machine in ids}
                result: list[Any] = [
                    {"hostid": ids[machine], "host": machine, "tags": tags[machine]}
                    for machine in ids
                    if machine in wanted
                ]
            case "item.get":
                wanted = params.get("hostids", list(ids.values()))
                result = [{"itemid": key, "hostid": key, "value_type": "0", "units": "W"} for key in wanted]
            case "history.get":
                result = [
                    {"itemid": ids[machine], "clock": str(ms // 1000), "value": _text(value)}
                    for machine, points in self.machines.items()
                    for ms, value in points
                    if ids[machine] in params["itemids"]
                ]
            case _:
                result = []
        body = json.dumps({"jsonrpc": "2.0", "result": result, "id": call["id"]}).encode()
        return body, call["method"] == "history.get"


def _success(data: Any) -> bytes:
    return json.dumps({"status": "success", "data": data}).encode()


def _labels(machine: str) -> dict[str, str]:
    return {"machine": machine, "serial": f"S-{machine}", "rated_watts": str(RATED)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


@contextmanager
def served(small: SmallSite) -> Iterator[str]:
    """The small site as a server on loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {"content-type": self.headers["content-type"]}
            answer = small(httpx.Request("POST", f"http://site.test{self.path}", headers=headers, content=content))
            body = answer.read()
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def hourly(name: str, **more: Any) -> Site:
    """One of the four sites, with a reading an hour and so the smallest answers."""
    return replace(SITES[name], step=timedelta(hours=1), **more)


def readings(site: Site, *, day: date = DAY, watts: int = 1200, step_ms: int = HOUR_MS) -> list[tuple[int, Any]]:
    """A machine that always draws the same, over the day and its margins, as the site writes it."""
    window = day_window(day=day, timezone=site.timezone).widened(site.margin)
    first, last = (round(at.timestamp() * 1000) for at in (window.start, window.end))
    stamps = range(first, last + 1, step_ms)
    match site.energy:
        case PrometheusCounter():
            return [(ms, float(100_000 + watts * (ms - first) // HOUR_MS)) for ms in stamps]
        case VictoriaIntervals():
            return [(ms, watts * step_ms / HOUR_MS / 1000) for ms in stamps]
        case _:
            return [(ms, float(watts)) for ms in stamps]


def open_site(engine: sa.Engine, site: Site) -> None:
    """Make the database know the site."""
    with engine.begin() as connection:
        sync_sites(connection, sites=[(site, site.starts_on)])


def collect(
    engine: sa.Engine,
    small: SmallSite,
    *,
    archive: Archive | None = None,
    day: date = DAY,
    accept_change: float = 0.05,
    now: datetime = NOW,
    **options: Any,
) -> Collected:
    """Collect a day of the small site."""
    return collect_day(
        site=small.site,
        day=day,
        source=small.source(**options),
        archive=archive or Archive("memory://small-sites"),
        engine=engine,
        clock=FrozenClock(now),
        run_id="test",
        accept_change=accept_change,
    )


def forget(engine: sa.Engine) -> None:
    """Delete all that was collected."""
    with engine.begin() as connection:
        for table in ("quarantined_reading", "machine_day", "collection", "inventory_change", "machine"):
            connection.execute(sa.text(f"delete from albacore.{table}"))


def counts(engine: sa.Engine) -> dict[str, int]:
    """How many rows the tables of collection hold."""
    tables = ("machine", "collection", "machine_day", "quarantined_reading", "inventory_change")
    with engine.connect() as connection:
        return {
            table: connection.execute(sa.text(f"select count(*) from albacore.{table}")).scalar_one()
            for table in tables
        }
