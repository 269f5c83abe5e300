"""VictoriaMetrics: energy of the interval that ends at each stamp, as raw samples.

Belongs here: the export of raw samples as JSON lines (docs.victoriametrics.com, "How to export data in JSON line
format"). Does not belong here: what the samples amount to. They are not read through `/api/v1/query`, which fills gaps
and drops duplicates as it sees fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from albacore_pipeline.data_centres import promql, units
from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.decode import Column, decoding, parallel, parse_number
from albacore_pipeline.data_centres.http import SiteHttp
from albacore_pipeline.data_centres.interface import KeepRaw, Machine, Meaning, Samples
from albacore_pipeline.data_centres.inventory import latest_descriptions
from albacore_pipeline.data_centres.promql import Labels, any_of, seconds, vector
from albacore_pipeline.data_centres.sift import Sieve
from albacore_pipeline.periods import Clock, Window
from albacore_pipeline.sites import VictoriaIntervals

LOOK_BACK = timedelta(days=1)  # how old the description or the last reading of a machine may be
INFO_METRIC = "machine_info"  # the labels of its series describe machines, where a site has it


class _Line(msgspec.Struct):
    metric: Labels
    values: msgspec.Raw
    timestamps: msgspec.Raw


class VictoriaMetricsSource:
    """Reads one site's VictoriaMetrics. Implements `EnergySource`."""

    def __init__(self, *, interface: VictoriaIntervals, batch: int, http: SiteHttp, clock: Clock) -> None:
        self._interface, self._batch, self._http, self._clock = interface, batch, http, clock

    def machines(self, *, as_of: datetime) -> list[Machine]:
        """Machines with an info series, or with readings, in the day before `as_of`, which belongs to it."""
        label = self._interface.machine_label
        return latest_descriptions(
            described=self._last_seen(INFO_METRIC, as_of),
            label=label,
            also=(labels.get(label, "") for _, labels in self._last_seen(self._interface.metric, as_of)),
            http=self._http,
        )

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        """Wh of the intervals that end in `[window.start, window.end]`. Raises FailedRead."""
        factor = units.of_metric(metric=self._interface.metric, http=self._http)

        def ask(names: Sequence[str]) -> Iterator[Samples]:
            label = self._interface.machine_label
            sieve = Sieve(meaning=Meaning.INTERVAL_WH, asked=names, window=window, now=self._clock.now())
            selector = f"{self._interface.metric}{{{label}=~{any_of(names)}}}"
            for labels, column in self._export("readings", selector, window, keep_raw):
                sieve.add(machine=labels.get(label, ""), key=frozenset(labels.items()), column=column, factor=factor)
            yield sieve.samples()

        return in_batches(machines=machines, size=self._batch, window=window, http=self._http, ask=ask)

    def _last_seen(self, metric: str, as_of: datetime) -> list[tuple[float, Labels]]:
        """The stamp of each series' last sample, and its labels: a day of samples would only say it more slowly."""
        query = f"tlast_over_time({metric}[{round(LOOK_BACK.total_seconds())}s])"
        found = promql.ask(
            http=self._http,
            software="VictoriaMetrics",
            what="the machines",
            path="/api/v1/query",
            form={"query": query, "time": seconds(as_of)},
            parse=vector,
        )
        return [(parse_number(stamp) or 0.0, labels) for labels, stamp in found]

    def _export(
        self, what: str, selector: str, window: Window, keep_raw: KeepRaw | None = None
    ) -> list[tuple[Labels, Column]]:
        """Labels and samples of each line. A cut between two lines shows in HTTP's own length only, so it must say."""
        form = {
            "match[]": selector,
            "start": seconds(window.start),
            "end": seconds(window.end),
        }
        answer = self._http.read(what=what, path="/api/v1/export", method="POST", data=form)
        if keep_raw:
            keep_raw(answer.raw)
        if not answer.delimited or answer.body[-1:] not in (b"", b"\n"):
            cause = "the answer is cut short, or has no length by which that would show"
            raise self._http.failure(what=what, cause=cause, mend="see what stands between {prefix}_URL and us")
        with decoding(body=answer.body, http=self._http, what=what):
            lines = msgspec.json.Decoder(_Line).decode_lines(answer.body)
            columns = [(line.metric, parallel(line.timestamps, line.values)) for line in lines]
        return columns
