"""InfluxDB 1.x: power in watts per machine, as raw points.

Belongs here: the `/query` endpoint of InfluxDB 1.x and as much InfluxQL as it takes
(docs.influxdata.com/influxdb/v1/tools/api). Does not belong here: what the points amount to. `INTEGRAL()` is not
used: it leaves out the last interval of every window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from albacore_pipeline.data_centres import units
from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.decode import decode, decoding, pairs
from albacore_pipeline.data_centres.http import SiteHttp, status
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import latest_descriptions
from albacore_pipeline.data_centres.sift import Sieve, milliseconds
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import InfluxGauge

T = TypeVar("T")

INFO = "machine_info"  # the measurement that describes machines, where a site has it
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$/])")


class _Series(msgspec.Struct):
    columns: list[str]
    values: msgspec.Raw
    tags: dict[str, str] = {}


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""
    partial: bool = False


class _Document(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


class InfluxSource:
    """Reads one site's InfluxDB. Implements `EnergySource`."""

    def __init__(self, *, interface: InfluxGauge, batch: int, http: SiteHttp, clock: Clock) -> None:
        self._interface, self._batch, self._http, self._clock = interface, batch, http, clock

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Machines that were described up to `as_of`, and every further one that has ever sent readings."""
        tag, what = self._interface.machine_tag, "the machines"
        groups = ", ".join(map(_name, dict.fromkeys((tag, "serial", "model"))))
        until = f"time <= {milliseconds(as_of)}ms"
        described = []
        for series in self._query(what, f'SELECT LAST("rated_watts") FROM "{INFO}" WHERE {until} GROUP BY {groups}'):
            rows = self._rows(what, series, list[tuple[int, float]])
            described += [(float(at), series.tags | {"rated_watts": repr(watts)}) for at, watts in rows]
        query = f"SHOW TAG VALUES FROM {_name(self._interface.measurement)} WITH KEY = {_name(tag)}"
        named = [
            name for series in self._query(what, query) for _, name in self._rows(what, series, list[tuple[str, str]])
        ]
        return latest_descriptions(described=described, label=tag, also=named, http=self._http)

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """Watts at the instants of `[window.start, window.end]`. Raises FailedRead."""
        factor = units.of_field(field=self._interface.field, http=self._http)
        tag = self._interface.machine_tag

        def ask(names: Sequence[str]) -> Iterator[Samples]:
            sieve = Sieve(meaning=Meaning.GAUGE_W, asked=names, window=window, now=self._clock.now())
            for series in self._query("readings", self._select(names, window), keep_raw):
                with decoding(body=bytes(series.values), http=self._http, what="readings"):
                    column = pairs(series.values, quoted=False)
                key = frozenset(series.tags.items())
                sieve.add(machine=series.tags.get(tag, ""), key=key, column=column, factor=factor)
            yield sieve.samples()

        return in_batches(machines=machines, size=self._batch, window=window, http=self._http, ask=ask)

    def _select(self, names: Sequence[str], window: Window) -> str:
        """Raw points, grouped by every tag so that two feeds of one machine stay two series."""
        pattern = "|".join(_SPECIAL.sub(r"\\\1", name) for name in names)
        return (
            f"SELECT {_name(self._interface.field)} FROM {_name(self._interface.measurement)}"
            f" WHERE time >= {milliseconds(window.start)}ms AND time <= {milliseconds(window.end)}ms"
            f" AND {_name(self._interface.machine_tag)} =~ /^({pattern})$/ GROUP BY *"
        )

    def _query(self, what: str, query: str, keep_raw: KeepRaw | None = None) -> list[_Series]:
        """The series of one statement's answer, which comes in several documents.

        Errors come with status 200 too. `partial` means that more follows, so that the last document must not say it.
        """
        form = {"db": self._interface.database, "q": query, "epoch": "ms", "chunked": "true"}
        answer = self._http.read(what=what, path="/query", method="POST", data=form, accept=status(200, 400))
        if keep_raw:
            keep_raw(answer.raw)
        with decoding(body=answer.body, http=self._http, what=what):
            documents = msgspec.json.Decoder(_Document).decode_lines(answer.body)
        results = [result for document in documents for result in document.results]
        for error in [document.error for document in documents] + [result.error for result in results]:
            if error:
                cause, mend = f"InfluxDB says: {error}", "see whether the names in sites.py are the site's"
                raise self._http.failure(what=what, cause=cause, mend=mend)
        if not results or results[-1].partial:
            mend = "run again when the link is better"
            raise self._http.failure(what=what, cause="the answer is empty or lacks its end", mend=mend)
        return [series for result in results for series in result.series]

    def _rows(self, what: str, series: _Series, kind: type[T]) -> T:
        return decode(body=bytes(series.values), kind=kind, http=self._http, what=what)


def _name(text: str) -> str:
    """A quoted identifier of InfluxQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
