"""Prometheus: a cumulative watt-hour counter per outlet, as raw samples.

Belongs here: Prometheus's HTTP API (prometheus.io/docs/prometheus/latest/querying/api), versions 2 and 3.
Does not belong here: what the samples amount to. `increase()` and the like are not used: they extrapolate, and are
silently short where samples are missing around midnight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from albacore_pipeline.data_centres import units
from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.decode import Column, decoding, pairs
from albacore_pipeline.data_centres.http import SiteHttp, status
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import latest_descriptions
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import PrometheusCounter

T = TypeVar("T")
Labels = dict[str, str]

LOOK_BACK = timedelta(days=1)  # how old the description or the last reading of a machine may be
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


class _Answer(msgspec.Struct):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    warnings: list[str] = []


class _Series(msgspec.Struct):
    metric: Labels
    values: msgspec.Raw


class _Matrix(msgspec.Struct, tag_field="resultType", tag="matrix"):
    result: list[_Series]


class _Sample(msgspec.Struct):
    metric: Labels


class _Vector(msgspec.Struct, tag_field="resultType", tag="vector"):
    result: list[_Sample]


class PrometheusSource:
    """Reads one site's Prometheus. Implements `EnergySource`."""

    def __init__(self, *, interface: PrometheusCounter, batch: int, http: SiteHttp, clock: Clock) -> None:
        self._interface, self._batch, self._http, self._clock = interface, batch, http, clock

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Machines with an info series, or with readings, in the day before `as_of`.

        The list of series costs far less than a day of samples of a constant. Where a machine has had several
        descriptions in that day, the one that an instant query sees at `as_of` counts.
        """
        label, info, at = self._interface.machine_label, self._interface.info_metric, _seconds(as_of)
        day = {"start": _seconds(as_of - LOOK_BACK), "end": at}
        what, series = "the machines", "/api/v1/series"
        described = self._ask(what, series, day | {"match[]": info}, _label_sets)
        counted = self._ask(what, series, day | {"match[]": self._interface.metric}, _label_sets)
        present = self._ask(what, "/api/v1/query", {"query": info, "time": at}, _vector)
        return latest_descriptions(
            described=[(0.0, labels) for labels in described] + [(1.0, labels) for labels in present],
            label=label,
            also=(labels.get(label, "") for labels in counted),
            http=self._http,
        )

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """Raw counter samples in `[window.start, window.end]`. Raises FailedRead."""
        factor = units.of_metric(metric=self._interface.metric, http=self._http)
        label = self._interface.machine_label

        def ask(names: Sequence[str]) -> Iterator[Samples]:
            sieve = Sieve(meaning=Meaning.COUNTER_WH, asked=names, window=window, now=self._clock.now())
            for labels, column in self._readings(names, window, keep_raw):
                key = frozenset(labels.items())
                sieve.add(machine=labels.get(label, ""), key=key, column=column, to_ms=1000.0, factor=factor)
            yield sieve.samples()

        return in_batches(machines=machines, size=self._batch, window=window, http=self._http, ask=ask)

    def _readings(self, names: Sequence[str], window: Window, keep_raw: KeepRaw) -> list[tuple[Labels, Column]]:
        """Labels and samples of each series.

        One second more is asked for than is needed: version 3 leaves the start of a range out, version 2 takes it in.
        """
        seconds = int((window.end - window.start).total_seconds()) + 1
        selector = f"{self._interface.metric}{{{self._interface.machine_label}=~{any_of(names)}}}"
        form = {"query": f"{selector}[{seconds}s]", "time": _seconds(window.end)}
        return self._ask("readings", "/api/v1/query", form, _matrix, keep_raw)

    def _ask(
        self,
        what: str,
        path: str,
        form: dict[str, str],
        parse: Callable[[msgspec.Raw], T],
        keep_raw: KeepRaw | None = None,
    ) -> T:
        """The parsed `data` of an answer that is a success without reservations."""
        body = self._http.read(what=what, path=path, method="POST", data=form, accept=status(200, 400, 422)).body
        if keep_raw:
            keep_raw(body)
        with decoding(body=body, http=self._http, what=what):
            answer = msgspec.json.decode(body, type=_Answer)
            if answer.status == "success" and not answer.warnings:
                return parse(answer.data)
        said = answer.error or f"the answer may be partial: {' '.join(answer.warnings)}"
        mend = "see whether the metrics' names in sites.py are the site's, and whether its server is whole"
        raise self._http.failure(what=what, cause=f"Prometheus says: {said}", mend=mend)


def _label_sets(data: msgspec.Raw) -> list[Labels]:
    return msgspec.json.decode(data, type=list[Labels])


def _vector(data: msgspec.Raw) -> list[Labels]:
    return [sample.metric for sample in msgspec.json.decode(data, type=_Vector).result]


def _matrix(data: msgspec.Raw) -> list[tuple[Labels, Column]]:
    series = msgspec.json.decode(data, type=_Matrix).result
    return [(one.metric, pairs(one.values, quoted=True)) for one in series]


def _seconds(at: datetime) -> str:
    return f"{at.timestamp():.3f}"


def any_of(names: Sequence[str]) -> str:
    """A quoted regular expression (RE2) that matches exactly these names; also VictoriaMetrics's syntax."""
    pattern = "|".join(_SPECIAL.sub(r"\\\1", name) for name in names)
    return json.dumps(pattern, ensure_ascii=False)
