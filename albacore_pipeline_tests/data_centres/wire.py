"""A wire without a network: answers as a server would send them, in parts, and a record of what was asked.

Belongs here: what the adapters' tests share. Does not belong here: any interface's own answers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx

from albacore_pipeline.data_centres.connect import energy_source, power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.http import HttpOptions, SiteHttp
from albacore_pipeline.data_centres.interface import EnergySource, FailedRead, PowerControl, Raw, Samples
from albacore_pipeline.periods import Window
from albacore_pipeline.sites import SITES

PASSWORD = "canary-5e1f"
START, END = datetime(2025, 10, 20, 22, tzinfo=UTC), datetime(2025, 10, 21, 22, tzinfo=UTC)
WINDOW = Window(START, END)
LATER = datetime(2025, 10, 22, 12, tzinfo=UTC)

Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class FixedClock:
    """A clock that stands."""

    at: datetime = LATER

    def now(self) -> datetime:
        return self.at


class Parts(httpx.SyncByteStream):
    """A body that arrives in parts; `before_each` runs before each of them."""

    def __init__(self, parts: list[bytes], before_each: Callable[[], None] = lambda: None) -> None:
        self._parts, self._before_each = parts, before_each

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._before_each()
            yield part


def reply(
    body: bytes | dict[str, Any] | list[Any] = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    zipped: bool = False,
) -> httpx.Response:
    """An answer with its length declared; JSON is written down."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    content = gzip.compress(content) if zipped else content
    given = {"content-length": str(len(content))} | ({"content-encoding": "gzip"} if zipped else {})
    halves = [content[: len(content) // 2], content[len(content) // 2 :]]
    return httpx.Response(status, headers=given | dict(headers or {}), stream=Parts(halves))


@dataclass
class Wire:
    """Hands each request to a handler and remembers it, with the seconds that the client slept."""

    handler: Handler
    requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def options(self, **more: Any) -> HttpOptions:
        return HttpOptions(transport=httpx.MockTransport(self._serve), sleep=self.slept.append, **more)

    def source(self, site: str, **options: Any) -> EnergySource:
        endpoint = Endpoint(url="http://site.test/base", username="billing", password=PASSWORD)
        return energy_source(site=SITES[site], endpoint=endpoint, clock=FixedClock(), options=self.options(**options))

    def control(self, site: str, **options: Any) -> PowerControl:
        endpoint = Endpoint(url="http://site.test/base", username="control", password=PASSWORD)
        return power_control(site=SITES[site], endpoint=endpoint, options=self.options(**options))

    def http(self, **options: Any) -> SiteHttp:
        endpoint = Endpoint(url="http://site.test/base", username="billing", password=PASSWORD)
        return SiteHttp(
            site="norway", prefix="NORWAY", endpoint=endpoint, failure=FailedRead, options=self.options(**options)
        )

    def _serve(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.handler(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)  # may be given again


def always(answer: httpx.Response) -> Wire:
    """A wire with the same answer to everything."""
    return Wire(lambda _: answer)


def form(request: httpx.Request) -> dict[str, str]:
    """The fields of a form that was posted."""
    return dict(parse_qsl(request.content.decode(), keep_blank_values=True))


def table(samples: Samples) -> list[tuple[str, int, float]]:
    """Readings as (machine, ms, value), sorted."""
    rows = zip(samples.series.tolist(), samples.at_ms.tolist(), samples.value.tolist(), strict=True)
    return sorted((samples.machines[series], at, value) for series, at, value in rows)


def read(source: EnergySource, *machines: str, window: Window = WINDOW) -> tuple[list[Samples], list[bytes]]:
    """All batches, and the raw answers that were kept."""
    raw: list[Raw] = []
    samples = list(source.samples(machines=list(machines), window=window, keep_raw=raw.append))
    return samples, [answer.content for answer in raw]


def ms(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return round(at.timestamp() * 1000)
