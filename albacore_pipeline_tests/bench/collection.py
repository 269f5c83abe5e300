"""A site-day from a real server through its asset, against the bare transfer of the same readings.

Belongs here: what is compared with what, and the bounds. The servers are those of `make test-real`.
Does not belong here: the readings (`fleet.py`) and the peer (`naive.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.database import connect, embedded, migrate
from albacore_pipeline.periods import Window
from albacore_pipeline.settings import PROJECT
from albacore_pipeline.sites import SITES, Site
from albacore_pipeline_tests.bench import fleet, naive
from albacore_pipeline_tests.real import metrics_servers
from albacore_pipeline_tests.real.servers import RealServer, ServerFailure, program

MACHINES, DOUBLED, NAIVE_MACHINES = 10_000, 20_000, 2_000
ROUNDS = 3
TIMES_NAIVE = 15.0  # what the naive script must take more, a machine-day
PEAK_MIB = 1024.0
GROWTH = 1.15  # of the peak, when the site doubles


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A site with its server: how it is loaded and asked by others, and the bound on the ratio to that."""

    site: Site
    server: Callable[[Site, int, Path], AbstractContextManager[RealServer]]
    form: Callable[[Window], dict[str, str]]
    path: str
    naive: naive.Read
    times_curl: float


def _prometheus(site: Site, count: int, folder: Path) -> AbstractContextManager[RealServer]:
    fleet.write_openmetrics(site, count, folder / "day.om")
    return metrics_servers.prometheus(folder=folder, openmetrics=folder / "day.om")


def _victoria(site: Site, count: int, folder: Path) -> AbstractContextManager[RealServer]:
    return metrics_servers.victoria_metrics(folder=folder, lines=fleet.import_lines(site, count))


def _range(window: Window) -> dict[str, str]:
    seconds = round((window.end - window.start).total_seconds())
    return {"query": f"pdu_outlet_energy_wh_total[{seconds}s]", "time": f"{window.end.timestamp():.3f}"}


def _export(window: Window) -> dict[str, str]:
    span = {"start": f"{window.start.timestamp():.3f}", "end": f"{window.end.timestamp():.3f}"}
    return {"match[]": "machine_interval_energy_kwh", **span}


SUBJECTS = (
    Subject(
        site=SITES["norway"],
        server=_prometheus,
        form=_range,
        path="/api/v1/query",
        naive=naive.counter,
        times_curl=2.0,
    ),
    Subject(
        site=SITES["indonesia"],
        server=_victoria,
        form=_export,
        path="/api/v1/export",
        naive=naive.intervals,
        times_curl=4.0,
    ),
)


class Bounds:
    """Prints what was measured beside its bound, and remembers whether all of them hold."""

    def __init__(self) -> None:
        self.hold = True

    def at_most(self, what: str, value: float, bound: float) -> None:
        """A value that must not be larger."""
        self._line(what, value, f"at most {bound:g}", value <= bound)

    def at_least(self, what: str, value: float, bound: float) -> None:
        """A value that must not be smaller."""
        self._line(what, value, f"at least {bound:g}", value >= bound)

    def _line(self, what: str, value: float, bound: str, holds: bool) -> None:
        self.hold &= holds
        print(f"  {what}: {value:.2f} ({bound}{'' if holds else ': BROKEN'})", flush=True)


def main(sites: Sequence[str] = ()) -> bool:
    """Measure these sites, or all; whether every bound holds. A missing server is said in one line and breaks them."""
    bounds = Bounds()
    with tempfile.TemporaryDirectory() as folder:
        for subject in SUBJECTS:
            if sites and subject.site.name not in sites:
                continue
            try:
                _measure(subject, Path(folder), bounds)
            except ServerFailure as error:
                print(f"{subject.site.name}/consumption was not measured: {error}")
                bounds.hold = False
    return bounds.hold


def _measure(subject: Subject, folder: Path, bounds: Bounds) -> None:
    """The site beside its peers, and the site doubled, each on a server and on databases of its own."""
    peaks = []
    for count, compare in ((MACHINES, _compare), (DOUBLED, _alone)):
        place = folder / f"{subject.site.name}-{count}"
        place.mkdir()
        with subject.server(subject.site, count, place) as server:
            peaks.append(compare(subject, server, place, bounds))
    bounds.at_most("peak MiB", max(peaks), PEAK_MIB)
    bounds.at_most("peak, when the site doubles", peaks[1] / peaks[0], GROWTH)


def _compare(subject: Subject, server: RealServer, place: Path, bounds: Bounds) -> float:
    """The pipeline against the bare transfer, in turns, and against the naive script; its peak in MiB."""
    window = fleet.asked(subject.site)
    bare, runs = [], []
    for number in range(ROUNDS):  # in turns, so that whatever else the machine does meets both
        bare.append(_curl(subject, server, window))
        runs.append(_pipeline(subject.site, server, place / f"home-{number}"))
    seconds = _say(subject, MACHINES, runs)
    hours = round((window.end - window.start).total_seconds() / 3600)
    print(f"  curl of the same {hours} hours (the day and its margins) in one query: {min(bare):.2f} s")
    bounds.at_most("times curl", seconds / min(bare), subject.times_curl)
    slow = _naive(subject, server, window, place / "home-naive")
    print(f"  naive script, {NAIVE_MACHINES:,} machines: {slow:.2f} s")
    bounds.at_least("naive, times a machine-day", slow / NAIVE_MACHINES * MACHINES / seconds, TIMES_NAIVE)
    return max(run["mib"] for run in runs)


def _alone(subject: Subject, server: RealServer, place: Path, bounds: Bounds) -> float:
    """The doubled site; its peak in MiB."""
    runs = [_pipeline(subject.site, server, place / "home")]
    _say(subject, DOUBLED, runs)
    return runs[0]["mib"]


def _say(subject: Subject, count: int, runs: Sequence[dict[str, float]]) -> float:
    """Print the best seconds and the worst peak, and return the seconds."""
    seconds, peak = min(run["seconds"] for run in runs), max(run["mib"] for run in runs)
    what = f"{subject.site.name}/consumption, {count:,} machines x 1 day at 5 minutes"
    print(f"{what}: {seconds:.2f} s, {peak:.0f} MiB", flush=True)
    return seconds


def _curl(subject: Subject, server: RealServer, window: Window) -> float:
    """Seconds of the bare transfer, in one request."""
    fields = [part for name, value in subject.form(window).items() for part in ("--data-urlencode", f"{name}={value}")]
    command = [
        program("curl", package="curl"),
        "--compressed",
        "--silent",
        "--fail",
        "--output",
        os.devnull,
        "--config",
        "-",
    ]
    who = f'user = "{server.username}:{server.password}"'
    started = time.monotonic()
    subprocess.run([*command, *fields, server.url + subject.path], input=who, text=True, check=True)
    return time.monotonic() - started


def _pipeline(site: Site, server: RealServer, home: Path) -> dict[str, float]:
    """Seconds and MiB of the asset, in a process and a fresh database of its own."""
    with _Database(home) as (url, _):
        prefix = site.name.upper()
        variables = {
            "ALBACORE_HOME": str(home),
            "ALBACORE_DATABASE_URL": url,
            f"{prefix}_URL": server.url,
            f"{prefix}_USERNAME": server.username,
            f"{prefix}_PASSWORD": server.password,
        }
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **variables}
        command = [sys.executable, "-m", "albacore_pipeline_tests.bench.one_day", site.name]
        ran = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    measured: dict[str, float] = json.loads(ran.stdout)
    return measured


def _naive(subject: Subject, server: RealServer, window: Window, home: Path) -> float:
    machines = fleet.names(subject.site, NAIVE_MACHINES)
    with _Database(home) as (_, engine):
        started = time.monotonic()
        naive.night(server=server, machines=machines, window=window, read=subject.naive, engine=engine)
        return time.monotonic() - started


class _Database:
    """An embedded database that is removed at the end."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> tuple[str, sa.Engine]:
        url = embedded.start(home=self._home).database_url
        self._engine = connect(url)
        migrate(self._engine)
        return url, self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()
        embedded.remove(home=self._home)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
