"""Ethiopia: InfluxDB 1.x over a poor link.

Belongs here: `/query`, its bodies, chunks and errors, and `/ping`.
Does not belong here: the language (`influxql.py`) and how late a day comes (`lateness.py`).
Source: the HTTP API reference of InfluxDB 1.x: errors of a statement come with status 200.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.answers import ENERGY_LOGIN, basic_login, json_answer, parameters, with_fault
from albacore_sandbox.clock import iso
from albacore_sandbox.faults import Span
from albacore_sandbox.influxql import NANOSECONDS, ParseError, Statement, parse
from albacore_sandbox.store import Document, to_json
from albacore_sandbox.world import World

SITE, DATABASE, MEASUREMENT, INFO = "ethiopia", "site", "power", "machine_info"
TAGS = {MEASUREMENT: ("host",), INFO: ("host", "serial", "model")}
FIELDS = {MEASUREMENT: "watts", INFO: "rated_watts"}
CHUNK_ROWS = 10_000
VERSION = {"X-Influxdb-Version": "1.6.7", "X-Influxdb-Build": "OSS"}
_NEVER_MS = 1_735_603_200_000  # nothing was kept before 2024-12-31

Series = Document  # {"name", "tags"?, "columns", "values"}


class InfluxApi:
    """The query endpoint of one database."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fleet = world.fleets[SITE]

    async def query(self, request: Request) -> Response:
        """GET or POST `/query`."""
        given = dict(await parameters(request))
        if refused := self._refusal(request, given):
            return refused
        if not given.get("q"):
            return json_answer({"error": 'missing required parameter "q"'}, status=400, headers=VERSION)
        epoch = given.get("epoch")
        if epoch is not None and epoch not in NANOSECONDS:
            return json_answer({"error": f"invalid epoch: {epoch}"}, status=400, headers=VERSION)
        try:
            statements = parse(given["q"], unit=1)
        except ParseError as error:
            return json_answer({"error": str(error)}, status=400, headers=VERSION)
        spans = [span for statement in statements if (span := self._bounded(statement))]
        fault = self.world.faults.meet(target=SITE, span=spans[0] if spans else None, method=request.method)
        return await with_fault(
            fault,
            respond=lambda: self._respond(statements, given=given),
            error={"results": [{"statement_id": 0, "error": "timeout"}]},
            empty={"results": [{"statement_id": 0}]},
        )

    async def ping(self, request: Request) -> Response:
        """GET or HEAD `/ping`."""
        return Response(status_code=204, headers=VERSION)

    def _refusal(self, request: Request, given: Mapping[str, str]) -> Response | None:
        headers = VERSION | {"WWW-Authenticate": 'Basic realm="InfluxDB"'}
        login = basic_login(request) or (("u" in given and (given["u"], given.get("p", ""))) or None)
        if login is None:
            return json_answer({"error": "unable to parse authentication credentials"}, status=401, headers=headers)
        if login != ENERGY_LOGIN:
            return json_answer({"error": "authorization failed"}, status=401, headers=headers)
        return None

    def _bounded(self, statement: Statement) -> Span | None:
        where = statement.where
        if where.end is None:
            return None
        end_ms = where.end // 10**6
        return (end_ms if where.start is None else -(-where.start // 10**6), end_ms)

    def _respond(self, statements: Sequence[Statement], *, given: Mapping[str, str]) -> Response:
        database = given.get("db", "")
        if database != DATABASE:
            problem = f"database not found: {database}" if database else "database name required"
            return json_answer({"results": [{"statement_id": 0, "error": problem}]}, headers=VERSION)
        epoch = given.get("epoch")
        results = [list(self._series(statement, epoch=epoch)) for statement in statements]
        if given.get("chunked", "").lower() == "true":
            size = int(given.get("chunk_size") or CHUNK_ROWS)
            body = b"".join(chunk for number, found in enumerate(results) for chunk in _chunks(number, found, size))
        else:
            parts = ({"statement_id": n} | ({"series": found} if found else {}) for n, found in enumerate(results))
            body = to_json({"results": list(parts)}) + b"\n"
        return json_answer(body, headers=VERSION)

    def _series(self, statement: Statement, *, epoch: str | None) -> Iterator[Series]:
        if statement.measurement not in TAGS:
            return
        if statement.kind == "tag_values":
            yield from self._tag_values(statement)
        elif FIELDS[statement.measurement] in statement.fields or "*" in statement.fields:
            source = self._machine_info if statement.measurement == INFO else self._power
            yield from source(statement, epoch=epoch)

    def _tag_values(self, statement: Statement) -> Iterator[Series]:
        key = statement.group[0]
        if key not in TAGS[statement.measurement]:
            return
        values = sorted({self._tags(row, statement.measurement)[key] for row in self._rows(statement)})
        if values:
            columns = ["key", "value"]
            yield {"name": statement.measurement, "columns": columns, "values": [[key, value] for value in values]}

    def _machine_info(self, statement: Statement, *, epoch: str | None) -> Iterator[Series]:
        at_ms = self.world.clock.now_ms()
        if statement.where.end is not None:
            at_ms = min(at_ms, statement.where.end // 10**6)
        for row in self._rows(statement):
            tags = self._tags(row, INFO)
            shown = {tag: tags[tag] for tag in TAGS[INFO] if tag in statement.group or "*" in statement.group}
            series: Series = {"name": INFO}
            if shown:
                series["tags"] = shown
            series["columns"] = ["time", "last" if statement.last else "rated_watts"]
            series["values"] = [[_stamp(at_ms, epoch), int(self.fleet.rated[row])]]
            yield series

    def _power(self, statement: Statement, *, epoch: str | None) -> Iterator[Series]:
        where, now_ms = statement.where, self.world.clock.now_ms()
        start_ms = _NEVER_MS if where.start is None else max(_NEVER_MS, -(-where.start // 10**6))
        end_ms = now_ms if where.end is None else where.end // 10**6
        rows = self._rows(statement)
        found = self.world.readings(SITE, rows=rows, span=(start_ms, end_ms))
        points = [(self.fleet.names[row], *found.row(position)) for position, row in enumerate(rows)]
        if not {"host", "*"} & set(statement.group):
            merged = sorted(pair for _, at_ms, watts in points for pair in zip(at_ms, watts, strict=True))
            points = [("", [at for at, _ in merged], [watts for _, watts in merged])]
        for host, at_ms, watts in points:
            if not at_ms:
                continue
            if statement.last:
                at_ms, watts = at_ms[-1:], watts[-1:]
            values: list[list[object]] = [[_stamp(at, epoch), w] for at, w in zip(at_ms, watts, strict=True)]
            values = (values[::-1] if statement.descending else values)[: statement.limit]
            columns = ["time", "last" if statement.last else "watts"]
            tags = {"tags": {"host": host}} if host else {}
            yield {"name": MEASUREMENT, **tags, "columns": columns, "values": values}

    def _rows(self, statement: Statement) -> list[int]:
        rows: Sequence[int] = range(len(self.fleet))
        for alternatives in statement.where.tags:
            names = [condition.names() if condition.tag == "host" else None for condition in alternatives]
            if all(some is not None for some in names):
                named = {self.fleet.rows[n] for some in names for n in some or () if n in self.fleet.rows}
                rows = [row for row in rows if row in named]
            else:
                known = {row: self._tags(row, INFO) for row in rows}
                rows = [r for r in rows if any(c.lets_through(known[r].get(c.tag, "")) for c in alternatives)]
        return list(rows)

    def _tags(self, row: int, measurement: str) -> dict[str, str]:
        values = {"host": self.fleet.names[row], "serial": self.fleet.serials[row], "model": self.fleet.models[row]}
        return {tag: values[tag] for tag in TAGS[measurement]}


def _stamp(at_ms: int, epoch: str | None) -> int | str:
    return iso(at_ms / 1000) if epoch is None else at_ms * 10**6 // NANOSECONDS[epoch]


def _chunks(number: int, found: Sequence[Series], size: int) -> Iterator[bytes]:
    """A document per so many rows of a series; `partial` on a series or statement says that more of it follows."""
    pieces = [(series, at) for series in found for at in range(0, len(series["values"]), size)]
    if not pieces:
        yield to_json({"results": [{"statement_id": number}]}) + b"\n"
    lasts = {index for index, (series, at) in enumerate(pieces) if at + size >= len(series["values"])}
    for index, (series, at) in enumerate(pieces):
        piece = {**series, "values": series["values"][at : at + size]}
        if index not in lasts:
            piece["partial"] = True
        result: Document = {"statement_id": number, "series": [piece]}
        if index < len(pieces) - 1:
            result["partial"] = True
        yield to_json({"results": [result]}) + b"\n"


def routes(world: World) -> list[Route]:
    """The paths below `/ethiopia`."""
    api = InfluxApi(world)
    return [Route("/query", api.query, methods=["GET", "POST"]), Route("/ping", api.ping, methods=["GET", "HEAD"])]
