"""Norway's interface as a real Prometheus serves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import numpy as np
import pytest

from albacore_pipeline.periods import day_window, days
from albacore_pipeline_tests.real import counters, servers
from albacore_pipeline_tests.real.counters import LONG_HOLE, RESET_MACHINE, SHORT_HOLE, TIMEZONE, Counter
from albacore_pipeline_tests.real.servers import RealServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def month() -> list[Counter]:
    return counters.counters()


@pytest.fixture(scope="module")
def prometheus(month: list[Counter], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    folder = tmp_path_factory.mktemp("prometheus")
    counters.write_openmetrics(month, folder / "month.om")
    with servers.prometheus(folder=folder, openmetrics=folder / "month.om") as server:
        yield server


def query(server: RealServer, expression: str, *, time: float) -> list[dict[str, object]]:
    with server.client() as client:
        answer = client.post("/api/v1/query", data={"query": expression, "time": str(time)})
    assert answer.status_code == 200, answer.text
    result: list[dict[str, object]] = answer.json()["data"]["result"]
    return result


@pytest.mark.parametrize(
    ("index", "day", "readings"),
    [
        (0, date(2025, 10, 15), 288),
        (1, date(2025, 10, 26), 300),  # 25 hours
        (2, date(2025, 9, 30), 288),
        (49, date(2025, 11, 1), 288),
        (RESET_MACHINE, date(2025, 10, 20), 288),
        (LONG_HOLE.machine, date(2025, 10, 9), 20 * 12),
        (LONG_HOLE.machine, date(2025, 10, 10), 20 * 12 + 1),
        (SHORT_HOLE.machine, date(2025, 10, 14), 23 * 12),
    ],
)
def test_a_machine_day_has_the_readings_that_the_meter_showed(
    prometheus: RealServer, month: list[Counter], index: int, day: date, readings: int
) -> None:
    counter, window = month[index], day_window(day=day, timezone=TIMEZONE)
    seconds = int((window.end - window.start).total_seconds())
    selector = f'pdu_outlet_energy_wh_total{{machine="{counter.machine}"}}[{seconds}s]'

    (series,) = query(prometheus, selector, time=window.end.timestamp())

    values = series["values"]
    assert isinstance(values, list)
    start = int(window.start.timestamp())
    got = [(at, float(text)) for at, text in values if at > start]  # version 2 takes the start in, version 3 does not
    assert got == list(zip(*counter.between(window), strict=True))
    assert len(got) == readings


def test_every_machine_is_described(prometheus: RealServer, month: list[Counter]) -> None:
    described = query(
        prometheus, "machine_info", time=day_window(day=date(2025, 10, 31), timezone=TIMEZONE).end.timestamp()
    )
    assert sorted(described, key=lambda one: str(one["metric"]))[0]["metric"] == {
        "__name__": "machine_info",
        "machine": "NO-0001",
        "serial": "SN000001",
        "model": month[0].model,
        "rated_watts": str(month[0].rated_watts),
    }
    assert len(described) == len(month) == 50


def test_strangers_are_refused(prometheus: RealServer) -> None:
    assert httpx.get(f"{prometheus.url}/api/v1/query?query=machine_info").status_code == 401


def test_the_truth_agrees_with_the_meter_where_nothing_happened_to_it(month: list[Counter]) -> None:
    """The generator's own check: hours add up to what the meter gained between readings on both sides of each day."""
    counter = month[0]
    for day in days(date(2025, 10, 1), date(2025, 10, 31)):
        window = day_window(day=day, timezone=TIMEZONE)
        at, wh = counter.between(window.widened(timedelta(hours=1)))
        first, last = np.interp([window.start.timestamp(), window.end.timestamp()], at, wh)
        assert counter.true_wh(window).sum() == pytest.approx(last - first, abs=1e-6)


def test_the_reset_falls_to_what_was_drawn_since(month: list[Counter]) -> None:
    counter = month[RESET_MACHINE]
    (fall,) = np.flatnonzero(np.diff(counter.wh) < 0)
    assert 0 <= counter.wh[fall + 1] <= counter.rated_watts * counters.STEP / counters.HOUR


@pytest.mark.parametrize(("hole", "hours"), [(LONG_HOLE, 8), (SHORT_HOLE, 2)])
def test_a_hole_is_as_long_as_it_says(month: list[Counter], hole: counters.Hole, hours: int) -> None:
    at = month[hole.machine].at
    (before,) = np.flatnonzero(np.diff(at) > counters.STEP)
    assert (at[before], at[before + 1]) == (hole.start, hole.end)
    assert hole.end - hole.start == hours * counters.HOUR
