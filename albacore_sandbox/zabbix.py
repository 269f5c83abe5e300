"""Finland: the JSON-RPC API of Zabbix 6.0 with a host per machine, history, trends and power scripts.

Belongs here: the methods, their errors (always in a 200) and the ways in which 6.0 differs from what one expects.
Does not belong here: what the machines draw.
Source: the API reference of Zabbix 6.0 and its frontend's behaviour: numbers are strings, the token stands in `auth`,
a wrong history type gives nothing, scripts need a login session, too many rows give an empty 500.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.answers import CONTROL_LOGIN, json_answer, text_answer, with_fault
from albacore_sandbox.faults import Span
from albacore_sandbox.store import Document, from_json, to_json
from albacore_sandbox.world import World

SITE, TOKEN, ITEM_KEY = "finland", "demo-finland-token", "power.active"
FIRST_HOST, FIRST_ITEM = 10_101, 40_101
MAX_ROWS = 500_000  # more than this is beyond PHP's memory
SCRIPTS = {"4": "Power off", "5": "Power on", "6": "Power status"}
CONTENT_TYPES = {"application/json-rpc", "application/json", "application/jsonrequest"}
_HOUR_MS = 3_600_000
_TREND_FIELDS = ("itemid", "clock", "num", "value_min", "value_avg", "value_max")

Params = Mapping[str, Any]


class RpcError(Exception):
    """An error that the method reports in a 200."""

    def __init__(self, code: int, message: str, data: str) -> None:
        super().__init__(data)
        self.body = {"code": code, "message": message, "data": data}


class Broken(Exception):
    """The frontend breaks off with an empty 500."""


def invalid(data: str) -> RpcError:
    """The error for parameters that make no sense."""
    return RpcError(-32602, "Invalid params.", data)


class ZabbixApi:
    """The frontend's API; `methods` are those that need a token or session."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fleet = world.fleets[SITE]
        self.methods: dict[str, Callable[[Params, str], Any]] = {
            "host.get": lambda params, _: self._hosts(params),
            "item.get": lambda params, _: self._items(params),
            "history.get": lambda params, _: self._history(params),
            "trend.get": lambda params, _: self._trends(params),
            "script.get": lambda params, _: self._scripts(params),
            "script.execute": self._execute,
            "user.logout": lambda _, auth: self._logout(auth),
        }

    async def serve(self, request: Request) -> Response:
        """POST `/api_jsonrpc.php`."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in CONTENT_TYPES:
            return text_answer("", status=412)
        try:
            call = from_json(await request.body())
        except msgspec.DecodeError:
            data = "Invalid JSON. An error occurred on the server while parsing the JSON text."
            return json_answer(_failed(None, {"code": -32700, "message": "Parse error", "data": data}))
        calls = call if isinstance(call, list) else [call]
        first = calls[0] if calls and isinstance(calls[0], dict) else {}
        method = str(first.get("method", ""))
        control = method.startswith("script.") or method.startswith("user.")
        fault = self.world.faults.meet(
            target="finland-control" if control else SITE, span=_span(first), method="POST", path=method
        )
        error = {"code": -32500, "message": "Application error.", "data": "The sandbox fails on request."}
        return await with_fault(
            fault,
            respond=lambda: self._respond(calls, single=not isinstance(call, list)),
            error=_failed(first.get("id"), error),
            empty=_done(first.get("id"), b"[]"),
        )

    def _respond(self, calls: Sequence[Any], *, single: bool) -> Response:
        try:
            answers = [self._answer(call) for call in calls]
        except Broken:
            return text_answer("", status=500)
        return json_answer(answers[0] if single else b"[%s]" % b",".join(answers))

    def _answer(self, call: Any) -> bytes:
        if not isinstance(call, dict) or call.get("jsonrpc") != "2.0" or "method" not in call:
            error = {"code": -32600, "message": "Invalid Request.", "data": "JSON-RPC version is not specified."}
            return _failed(None, error)
        try:
            result = self._call(str(call["method"]), call.get("params") or {}, call.get("auth"))
        except RpcError as error:
            return _failed(call.get("id"), error.body)
        return _done(call.get("id"), result if isinstance(result, bytes) else to_json(result))

    def _call(self, method: str, params: Params, auth: str | None) -> Any:
        if method in ("apiinfo.version", "user.login"):
            if auth is not None:
                raise invalid(f'The "{method}" method must be called without the "auth" parameter.')
            return "6.0.14" if method == "apiinfo.version" else self._login(params)
        if method not in self.methods:
            raise invalid(f'Incorrect API "{method.partition(".")[0]}" or method "{method.partition(".")[2]}".')
        if auth is None:
            raise invalid("Not authorized.")
        if auth != TOKEN and auth not in self.world.sessions:
            raise invalid("Session terminated, re-login, please.")
        if not isinstance(params, Mapping):
            raise invalid('Invalid parameter "/": an array is expected.')
        return self.methods[method](params, auth)

    def _login(self, params: Params) -> str:
        if (params.get("username", params.get("user")), params.get("password")) != CONTROL_LOGIN:
            text = "Incorrect user name or password or account is temporarily blocked."
            raise RpcError(-32500, "Application error.", text)
        session = uuid.uuid4().hex
        self.world.sessions.put(session, {"at": self.world.clock.now()})
        return session

    def _logout(self, auth: str) -> bool:
        self.world.sessions.remove(auth)
        return True

    def _hosts(self, params: Params) -> Any:
        found = [self._host(row, params) for row in self._chosen_hosts(params)]
        return str(len(found)) if params.get("countOutput") else found

    def _chosen_hosts(self, params: Params) -> list[int]:
        asked = _texts(params.get("hostids"))
        rows = range(len(self.fleet)) if asked is None else _rows(asked, FIRST_HOST, len(self.fleet))
        names = _filter(params, "host", "name")
        part = str((params.get("search") or {}).get("host", (params.get("search") or {}).get("name", ""))).lower()
        chosen = [r for r in rows if names is None or self.fleet.names[r] in names]
        return [r for r in chosen if part in self.fleet.names[r].lower()][: _limit(params)]

    def _host(self, row: int, params: Params) -> Document:
        name = self.fleet.names[row]
        whole = {"hostid": str(FIRST_HOST + row), "host": name, "name": name, "status": "0", "maintenance_status": "0"}
        host = _output(whole, params.get("output", "extend"), always="hostid")
        described = {"rated_watts": str(self.fleet.rated[row]), "serial": self.fleet.serials[row]}
        described["model"] = self.fleet.models[row]
        if params.get("selectTags"):
            host["tags"] = [
                _output({"tag": tag, "value": value}, params["selectTags"]) for tag, value in described.items()
            ]
        if params.get("selectInventory"):
            inventory = {"serialno_a": described["serial"], "model": described["model"]}
            host["inventory"] = _output(inventory, params["selectInventory"])
        if params.get("selectItems"):
            host["items"] = [_output(self._item(row), params["selectItems"])]
        return host

    def _items(self, params: Params) -> Any:
        hosts, items = _texts(params.get("hostids")), _texts(params.get("itemids"))
        rows: Sequence[int] = range(len(self.fleet))
        if hosts is not None:
            rows = _rows(hosts, FIRST_HOST, len(self.fleet))
        if items is not None:
            rows = [row for row in _rows(items, FIRST_ITEM, len(self.fleet)) if row in set(rows)]
        if params.get("host") is not None:
            rows = [row for row in rows if self.fleet.names[row] == params["host"]]
        keys = _filter(params, "key_")
        part = str((params.get("search") or {}).get("key_", ""))
        if (keys is not None and ITEM_KEY not in keys) or part not in ITEM_KEY:
            rows = []
        rows = rows[: _limit(params)]
        if params.get("countOutput"):
            return str(len(rows))
        found = [_output(self._item(row), params.get("output", "extend"), always="itemid") for row in rows]
        if params.get("selectHosts"):
            for item, row in zip(found, rows, strict=True):
                item["hosts"] = [self._host(row, {"output": params["selectHosts"]})]
        return found

    def _item(self, row: int) -> Document:
        names = ("itemid", "hostid", "name", "key_", "value_type", "units", "delay", "status", "state", "history")
        values = (FIRST_ITEM + row, FIRST_HOST + row, "Active power", ITEM_KEY, 0, "W", "5m", 0, 0, "400d")
        return dict(zip(names, map(str, values), strict=True)) | {"trends": "1825d", "lastclock": "0", "lastvalue": "0"}

    def _history(self, params: Params) -> Any:
        rows = self._item_rows(params)
        if int(params.get("history", 3)) != 0:
            return []
        found = self.world.readings(SITE, rows=rows, span=self._span(params))
        if min(found.count, _limit(params) or found.count) > MAX_ROWS:
            raise Broken
        position, column = np.nonzero(found.served)
        clock, watts = found.at_ms[position, column] // 1000, found.value[position, column]
        order = _order(params, itemid=found.rows[position], clock=clock)[: _limit(params)]
        items = found.rows[position][order] + FIRST_ITEM
        if params.get("countOutput"):
            return str(len(order))
        columns: dict[str, Sequence[object]] = {
            "itemid": items.tolist(),
            "clock": clock[order].tolist(),
            "value": watts[order].tolist(),
            "ns": [0] * len(order),
        }
        return _table(columns, params.get("output", "extend"))

    def _trends(self, params: Params) -> Any:
        rows = self._item_rows(params)
        start_ms, end_ms = self._span(params)
        first, last = -(-start_ms // _HOUR_MS), min(end_ms, self.world.clock.now_ms() - _HOUR_MS) // _HOUR_MS
        lines = [line for hour in range(first, last + 1) for line in self._trend_hour(rows, hour_ms=hour * _HOUR_MS)][
            : _limit(params)
        ]
        if params.get("countOutput"):
            return str(len(lines))
        columns = {name: [line[at] for line in lines] for at, name in enumerate(_TREND_FIELDS)}
        return _table(columns, params.get("output", "extend"))

    def _trend_hour(self, rows: Sequence[int], *, hour_ms: int) -> list[tuple[object, ...]]:
        found = self.world.readings(SITE, rows=rows, span=(hour_ms, hour_ms + _HOUR_MS - 1))
        count = found.served.sum(axis=1)
        total = np.where(found.served, found.value, 0).sum(axis=1)
        low, high = (
            edge(np.where(found.served, found.value, far), axis=1)
            for edge, far in ((np.min, np.inf), (np.max, -np.inf))
        )
        return [
            (FIRST_ITEM + row, hour_ms // 1000, int(n), float(least), round(float(whole / n), 4), float(most))
            for row, n, whole, least, most in zip(rows, count, total, low, high, strict=True)
            if n
        ]

    def _item_rows(self, params: Params) -> list[int]:
        items, hosts = _texts(params.get("itemids")), _texts(params.get("hostids"))
        rows = list(range(len(self.fleet))) if items is None else _rows(items, FIRST_ITEM, len(self.fleet))
        return rows if hosts is None else [r for r in rows if r in set(_rows(hosts, FIRST_HOST, len(self.fleet)))]

    def _span(self, params: Params) -> Span:
        start = int(params.get("time_from") or 1_735_603_200)  # nothing was kept before 2024-12-31
        end = int(params["time_till"]) if params.get("time_till") else int(self.world.clock.now())
        return max(start, 1_735_603_200) * 1000, end * 1000 + 999

    def _scripts(self, params: Params) -> list[Document]:
        names, ids = _filter(params, "name"), _texts(params.get("scriptids"))
        return [
            _output({"scriptid": key, "name": name, "type": "5", "scope": "2"}, params.get("output", "extend"))
            for key, name in SCRIPTS.items()
            if (names is None or name in names) and (ids is None or key in ids)
        ]

    def _execute(self, params: Params, auth: str) -> Document:
        if auth == TOKEN:
            raise Broken
        missing = [name for name in ("scriptid", "hostid") if name not in params]
        if missing:
            raise invalid(f'Invalid parameter "/": the parameter "{missing[0]}" is missing.')
        rows, script = _rows([str(params["hostid"])], FIRST_HOST, len(self.fleet)), SCRIPTS.get(str(params["scriptid"]))
        if not rows or script is None:
            raise RpcError(-32500, "Application error.", "No permissions to referred object or it does not exist!")
        machine = self.fleet.names[rows[0]]
        if script == "Power status":
            return {"response": "success", "value": "On" if self.world.power.on(machine) else "Off"}
        self.world.power.command(machine, on=script == "Power on")
        return {"response": "success", "value": "accepted"}


def _span(call: Mapping[str, Any]) -> Span | None:
    params = call.get("params")
    if not isinstance(params, Mapping) or not params.get("time_from") or not params.get("time_till"):
        return None
    return int(params["time_from"]) * 1000, int(params["time_till"]) * 1000


def _done(key: Any, result: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","result":%s,"id":%s}' % (result, to_json(key))


def _failed(key: Any, error: Mapping[str, Any]) -> bytes:
    return to_json({"jsonrpc": "2.0", "error": error, "id": key})


def _texts(given: Any) -> list[str] | None:
    if given is None:
        return None
    return [str(each) for each in given] if isinstance(given, list) else [str(given)]


def _rows(ids: Sequence[str], first: int, count: int) -> list[int]:
    numbers = {int(each) - first for each in ids if each.isdigit()}
    return sorted(number for number in numbers if 0 <= number < count)


def _filter(params: Params, *names: str) -> set[str] | None:
    given = params.get("filter") or {}
    found = [set(_texts(given[name]) or ()) for name in names if given.get(name) is not None]
    return set.intersection(*found) if found else None


def _limit(params: Params) -> int | None:
    return int(params["limit"]) if params.get("limit") else None


def _output(whole: Mapping[str, Any], asked: Any, *, always: str = "") -> Document:
    if not isinstance(asked, list):
        return dict(whole)
    return {name: value for name, value in whole.items() if name in asked or name == always}


def _order(params: Params, **columns: Any) -> Any:
    fields = [field for field in _texts(params.get("sortfield")) or [] if field in columns]
    if not fields:
        return np.arange(len(columns["clock"]))
    directions = _texts(params.get("sortorder")) or ["ASC"]
    signs = [-1 if (directions[min(n, len(directions) - 1)]).upper() == "DESC" else 1 for n in range(len(fields))]
    return np.lexsort([sign * columns[field] for field, sign in zip(reversed(fields), reversed(signs), strict=True)])


def _table(columns: Mapping[str, Sequence[object]], asked: Any) -> bytes:
    """Rows of strings as JSON, all at once."""
    names = [name for name in columns if not isinstance(asked, list) or name in asked]
    count = len(columns["itemid"])
    cells: list[object] = [""] * (count * len(names))
    for at, name in enumerate(names):
        cells[at :: len(names)] = columns[name]
    row = "{" + ",".join(f'"{name}":"%s"' for name in names) + "}"
    return ("[" + ",".join([row] * count) % tuple(cells) + "]").encode()


def routes(world: World) -> list[Route]:
    """The paths below `/finland`."""
    return [Route("/api_jsonrpc.php", ZabbixApi(world).serve, methods=["POST"])]
