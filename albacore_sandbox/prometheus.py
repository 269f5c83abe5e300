"""Norway: the HTTP API of Prometheus 2.x over a counter per outlet.

Belongs here: `/api/v1/query` for series selectors, `/api/v1/series`, their bodies and errors.
Does not belong here: the expression language beyond selectors (`promql.py`).
Source: Prometheus' HTTP API; range selectors are closed on both ends, values are strings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.answers import (
    ENERGY_LOGIN,
    basic_login,
    json_answer,
    parameters,
    text_answer,
    with_fault,
)
from albacore_sandbox.faults import Span
from albacore_sandbox.fleet import Fleet
from albacore_sandbox.promql import ParseError, Selector, api_time, parse_selector
from albacore_sandbox.store import to_json
from albacore_sandbox.world import World

METRIC, INFO = "pdu_outlet_energy_wh_total", "machine_info"
LOOKBACK_MS = 300_000  # how old a reading an instant query still shows
MAX_SAMPLES = 50_000_000
EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}


def failure(kind: str, text: str) -> dict[str, str]:
    """The body of an error."""
    return {"status": "error", "errorType": kind, "error": text}


class MetricsApi:
    """What Prometheus and VictoriaMetrics share: instant queries and series over one metric of readings."""

    def __init__(self, world: World, *, site: str, metric: str, realm: str, decimals: int) -> None:
        self.world = world
        self.site = site
        self.metric = metric
        self.realm = realm
        self.number = f"%.{decimals}f"

    @property
    def fleet(self) -> Fleet:
        """The site's machines."""
        return self.world.fleets[self.site]

    def refusal(self, request: Request) -> Response | None:
        """The answer to a stranger."""
        if basic_login(request) == ENERGY_LOGIN:
            return None
        headers = {"WWW-Authenticate": f'Basic realm="{self.realm}"'}
        return text_answer("Unauthorized\n", status=401, headers=headers)

    def bad_request(self, text: str) -> Response:
        """The answer to a request that makes no sense."""
        return json_answer(failure("bad_data", text), status=400)

    def info(self, selector: Selector) -> list[dict[str, str]]:
        """The labels of the descriptions that a selector means."""
        fleet = self.fleet
        described = (
            {
                "__name__": INFO,
                "machine": fleet.names[row],
                "serial": fleet.serials[row],
                "model": fleet.models[row],
                "rated_watts": str(fleet.rated[row]),
            }
            for row in selector.candidates(fleet.rows)
        )
        return [labels for labels in described if selector.chooses(labels)]

    def rows(self, selector: Selector) -> list[int]:
        """The machines whose readings a selector means."""
        rows = selector.candidates(self.fleet.rows)
        return [row for row in rows if selector.chooses({"machine": self.fleet.names[row]})]

    def expression(self, text: str) -> tuple[Selector, Callable[..., Response]]:
        """The selector of an expression, and what evaluates it. Raises ParseError."""
        return parse_selector(text), self._evaluate

    async def query(self, request: Request) -> Response:
        """GET or POST `/api/v1/query`."""
        if refused := self.refusal(request):
            return refused
        given = dict(await parameters(request))
        try:
            selector, evaluate = self.expression(given.get("query", ""))
            at_ms = round(api_time(given["time"]) * 1000) if given.get("time") else self.world.clock.now_ms()
        except ParseError as error:
            return self.bad_request(f'invalid parameter "query": {error}')
        span = (at_ms - round((selector.seconds or 0) * 1000), at_ms)
        fault = self.world.faults.meet(target=self.site, span=span, method=request.method, path=request.url.path)
        return await with_fault(
            fault,
            respond=lambda: evaluate(selector, span=span),
            error=failure("execution", "the sandbox fails on request"),
            empty=EMPTY,
        )

    async def series(self, request: Request) -> Response:
        """GET or POST `/api/v1/series`: the labels of the series that selectors mean."""
        if refused := self.refusal(request):
            return refused
        try:
            selectors = [parse_selector(text) for key, text in await parameters(request) if key == "match[]"]
        except ParseError as error:
            return self.bad_request(f'invalid parameter "match[]": {error}')
        if not selectors:
            return self.bad_request("no match[] parameter provided")
        fault = self.world.faults.meet(target=self.site, method=request.method, path=request.url.path)
        labels = [each for selector in selectors for each in self._labels(selector)]
        return await with_fault(
            fault,
            respond=lambda: json_answer({"status": "success", "data": labels}),
            error=failure("execution", "the sandbox fails on request"),
            empty={"status": "success", "data": []},
        )

    def _labels(self, selector: Selector) -> list[dict[str, str]]:
        if selector.metric == INFO:
            return self.info(selector)
        if selector.metric != self.metric:
            return []
        return [{"__name__": self.metric, "machine": self.fleet.names[row]} for row in self.rows(selector)]

    def _evaluate(self, selector: Selector, *, span: Span) -> Response:
        at = span[1] / 1000
        if selector.metric == INFO and selector.seconds is None:
            shown = self.info(selector) if span[1] <= self.world.clock.now_ms() + LOOKBACK_MS else []
            return self.vector([b'{"metric":%s,"value":[%.3f,"1"]}' % (to_json(each), at) for each in shown])
        if selector.metric == INFO:
            return self.bad_request("the sandbox serves machine_info as an instant vector only")
        rows = self.rows(selector) if selector.metric == self.metric else []
        if selector.seconds is None:
            return self.vector(self._latest(rows, span=span))
        if len(rows) * (span[1] - span[0]) // self.fleet.step_ms > MAX_SAMPLES:
            text = "query processing would load too many samples into memory in query execution"
            return json_answer(failure("execution", text), status=422)
        found = self.world.readings(self.site, rows=rows, span=span)
        parts = []
        for position, row in enumerate(rows):
            at_ms, values = found.row(position)
            if at_ms:
                parts.append(self._matrix_series(self.fleet.names[row], at_ms, values))
        body = ",".join(parts)
        return json_answer(f'{{"status":"success","data":{{"resultType":"matrix","result":[{body}]}}}}'.encode())

    def _matrix_series(self, machine: str, at_ms: Sequence[int], values: Sequence[float]) -> str:
        pairs: list[float] = [0.0] * (2 * len(at_ms))
        pairs[::2], pairs[1::2] = [at / 1000 for at in at_ms], values
        points = ",".join([f'[%.3f,"{self.number}"]'] * len(at_ms)) % tuple(pairs)
        return f'{{"metric":{{"__name__":"{self.metric}","machine":"{machine}"}},"values":[{points}]}}'

    def _latest(self, rows: Sequence[int], *, span: Span) -> list[bytes]:
        found = self.world.readings(self.site, rows=rows, span=(span[1] - LOOKBACK_MS, span[1]))
        result = []
        for position, row in enumerate(rows):
            at_ms, values = found.row(position)
            if at_ms:
                labels = to_json({"__name__": self.metric, "machine": self.fleet.names[row]})
                number = (self.number % values[-1]).encode()
                result.append(b'{"metric":%s,"value":[%.3f,"%s"]}' % (labels, span[1] / 1000, number))
        return result

    def vector(self, parts: Sequence[bytes]) -> Response:
        """An instant vector of these series."""
        body = b'{"status":"success","data":{"resultType":"vector","result":[%s]}}' % b",".join(parts)
        return json_answer(body)


def routes(world: World) -> list[Route]:
    """The paths below `/norway`."""
    api = MetricsApi(world, site="norway", metric=METRIC, realm="", decimals=1)
    return [
        Route("/api/v1/query", api.query, methods=["GET", "POST"]),
        Route("/api/v1/series", api.series, methods=["GET", "POST"]),
    ]
