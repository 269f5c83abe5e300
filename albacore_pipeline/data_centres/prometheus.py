"""Prometheus: a cumulative watt-hour counter per outlet, as raw samples.

Belongs here: Prometheus's HTTP API (prometheus.io/docs/prometheus/latest/querying/api), versions 2 and 3.
Does not belong here: what the samples amount to. `increase()` and the like are not used: they extrapolate, and are
silently short where samples are missing around midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from albacore_pipeline.data_centres import promql, units
from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.decode import Column, pairs
from albacore_pipeline.data_centres.http import SiteHttp
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import latest_descriptions
from albacore_pipeline.data_centres.promql import Labels, any_of, seconds, vector
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import PrometheusCounter

T = TypeVar("T")

LOOK_BACK = timedelta(days=1)  # how old the description or the last reading of a machine may be


class _Series(msgspec.Struct):
    metric: Labels
    values: msgspec.Raw


class _Matrix(msgspec.Struct, tag_field="resultType", tag="matrix"):
    result: list[_Series]


class PrometheusSource:
    """Reads one site's Prometheus. Implements `EnergySource`."""

    def __init__(self, *, interface: PrometheusCounter, batch: int, http: SiteHttp, clock: Clock) -> None:
        self._interface, self._batch, self._http, self._clock = interface, batch, http, clock

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Machines with an info series, or with readings, in the day before `as_of`.

        The list of series costs far less than a day of samples of a constant. Where a machine has had several
        descriptions in that day, the one that an instant query sees at `as_of` counts.
        """
        label, info, at = self._interface.machine_label, self._interface.info_metric, seconds(as_of)
        day = {"start": seconds(as_of - LOOK_BACK), "end": at}
        what, series = "the machines", "/api/v1/series"
        described = self._ask(what, series, day | {"match[]": info}, _label_sets)
        counted = self._ask(what, series, day | {"match[]": self._interface.metric}, _label_sets)
        present = self._ask(what, "/api/v1/query", {"query": info, "time": at}, vector)
        return latest_descriptions(
            described=[(0.0, labels) for labels in described] + [(1.0, labels) for labels, _ in present],
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
        span = int((window.end - window.start).total_seconds()) + 1
        selector = f"{self._interface.metric}{{{self._interface.machine_label}=~{any_of(names)}}}"
        form = {"query": f"{selector}[{span}s]", "time": seconds(window.end)}
        return self._ask("readings", "/api/v1/query", form, _matrix, keep_raw)

    def _ask(
        self,
        what: str,
        path: str,
        form: dict[str, str],
        parse: Callable[[msgspec.Raw], T],
        keep_raw: KeepRaw | None = None,
    ) -> T:
        return promql.ask(
            http=self._http, software="Prometheus", what=what, path=path, form=form, parse=parse, keep_raw=keep_raw
        )


def _label_sets(data: msgspec.Raw) -> list[Labels]:
    return msgspec.json.decode(data, type=list[Labels])


def _matrix(data: msgspec.Raw) -> list[tuple[Labels, Column]]:
    series = msgspec.json.decode(data, type=_Matrix).result
    return [(one.metric, pairs(one.values, quoted=True)) for one in series]
