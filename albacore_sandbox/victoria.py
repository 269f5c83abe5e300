"""Indonesia: VictoriaMetrics with the energy of quarter hours, stamped at their ends.

Belongs here: `/api/v1/export`, VictoriaMetrics' own errors and function; other queries are as with Prometheus.
Does not belong here: selectors (`promql.py`) and instant queries (`prometheus.py`).
Source: the URL examples of VictoriaMetrics' documentation: a JSON document per line and series, stamps in ms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.answers import json_answer, parameters, with_fault
from albacore_sandbox.faults import Span
from albacore_sandbox.prometheus import INFO, MetricsApi, failure
from albacore_sandbox.promql import ParseError, Selector, api_time, parse_selector
from albacore_sandbox.store import to_json
from albacore_sandbox.world import World

METRIC = "machine_interval_energy_kwh"
_MILLISECONDS_FROM = 1e11  # a larger number than this can't be seconds


_TLAST = re.compile(r"tlast_over_time\((.*)\)", re.S)


def _api_ms(text: str) -> int:
    at = api_time(text)
    return round(at if at > _MILLISECONDS_FROM else at * 1000)


class VictoriaApi(MetricsApi):
    """The API of a single-node VictoriaMetrics."""

    def bad_request(self, text: str) -> Response:
        """The answer to a request that makes no sense; its error type is the status."""
        return json_answer(failure("422", text), status=422)

    def expression(self, text: str) -> tuple[Selector, Callable[..., Response]]:
        """Of MetricsQL's functions, `tlast_over_time` alone is known. Raises ParseError."""
        found = _TLAST.fullmatch(text.strip())
        return (parse_selector(found[1]), self._last_stamps) if found else super().expression(text)

    def _last_stamps(self, selector: Selector, *, span: Span) -> Response:
        """When each series had its last sample within the span, in seconds."""
        last: list[tuple[dict[str, str], float]] = []
        if selector.metric == INFO:
            last = [(labels, min(span[1], self.world.clock.now_ms()) / 1000) for labels in self.info(selector)]
        elif selector.metric == self.metric:
            rows = self.rows(selector)
            found = self.world.readings(self.site, rows=rows, span=span)
            seen = ((self.fleet.names[row], found.row(position)[0]) for position, row in enumerate(rows))
            last = [({"machine": machine}, stamps[-1] / 1000) for machine, stamps in seen if stamps]
        return self.vector(
            [
                b'{"metric":%s,"value":[%.3f,"%.15g"]}' % (to_json(_nameless(each)), span[1] / 1000, at)
                for each, at in last
            ]
        )

    async def export(self, request: Request) -> Response:
        """GET or POST `/api/v1/export`."""
        if refused := self.refusal(request):
            return refused
        pairs = await parameters(request)
        given = dict(pairs)
        try:
            selectors = [parse_selector(text) for key, text in pairs if key in ("match[]", "match")]
            start_ms = _api_ms(given.get("start", "0"))
            end_ms = _api_ms(given["end"]) if "end" in given else self.world.clock.now_ms()
        except ParseError as error:
            return self.bad_request(str(error))
        if not selectors:
            return self.bad_request("missing `match[]` arg")
        span = (max(start_ms, 1_735_603_200_000), end_ms)  # nothing was kept before 2024-12-31
        fault = self.world.faults.meet(target=self.site, span=span, method=request.method, path=request.url.path)
        return await with_fault(
            fault,
            respond=lambda: self._lines(selectors, span=span),
            error=failure("500", "the sandbox fails on request"),
            empty=b"",
        )

    def _lines(self, selectors: Sequence[Selector], *, span: Span) -> Response:
        lines: dict[str, bytes] = {}
        for selector in selectors:
            if selector.metric in (INFO, ""):
                for labels in self.info(selector):
                    at = min(span[1], self.world.clock.now_ms())
                    line = b'{"metric":%s,"values":[1],"timestamps":[%d]}\n' % (to_json(labels), at)
                    lines[f"{INFO}/{labels['machine']}"] = line
            if selector.metric in (self.metric, ""):
                rows = self.rows(selector)
                found = self.world.readings(self.site, rows=rows, span=span)
                for position, row in enumerate(rows):
                    at_ms, values = found.row(position)
                    if at_ms:
                        lines[self.fleet.names[row]] = self._line(self.fleet.names[row], at_ms, values)
        return Response(b"".join(lines.values()), media_type="application/stream+json")

    def _line(self, machine: str, at_ms: Sequence[int], values: Sequence[float]) -> bytes:
        metric = {"__name__": self.metric, "machine": machine}
        return to_json({"metric": metric, "values": [round(v, 4) for v in values], "timestamps": at_ms}) + b"\n"


def _nameless(labels: dict[str, str]) -> dict[str, str]:
    return {label: value for label, value in labels.items() if label != "__name__"}


def routes(world: World) -> list[Route]:
    """The paths below `/indonesia`."""
    api = VictoriaApi(world, site="indonesia", metric=METRIC, realm="VictoriaMetrics", decimals=4)
    return [
        Route("/api/v1/export", api.export, methods=["GET", "POST"]),
        Route("/api/v1/query", api.query, methods=["GET", "POST"]),
        Route("/api/v1/series", api.series, methods=["GET", "POST"]),
    ]
