"""Ethiopia, collected from a real InfluxDB 1.x through Dagster into the embedded database; the last day comes late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx
import numpy as np
import pytest

from albacore_pipeline.periods import day_window, days
from albacore_pipeline_tests.real import gauges
from albacore_pipeline_tests.real.deployment import Deployment, causes, deployed, reached
from albacore_pipeline_tests.real.gauges import Gauge, Trouble
from albacore_pipeline_tests.real.loads import FIRST_DAY, LAST_DAY, Ints, seconds
from albacore_pipeline_tests.real.metrics_servers import influxdb, write_points
from albacore_pipeline_tests.real.servers import RealServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
TIMEZONE = "Africa/Addis_Ababa"
LATE = seconds(day_window(day=LAST_DAY, timezone=TIMEZONE).start)
LATE_MACHINES = 40  # what these measured on the last day is on its way when the month is first collected

Servers = tuple[RealServer, RealServer]


@pytest.fixture(scope="module")
def month() -> list[Gauge]:
    return gauges.gauges(prefix="ET", timezone=TIMEZONE)


@pytest.fixture(scope="module")
def influx(month: list[Gauge], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with influxdb(folder=tmp_path_factory.mktemp("influx"), database="site") as (writer, reader):
        lines = [_described(gauge) for gauge in month if gauge.trouble is not Trouble.UNRATED]
        for index, gauge in enumerate(month):
            lines += _points(gauge, late=False) + ([] if index < LATE_MACHINES else _points(gauge, late=True))
        write_points(writer, database="site", lines=lines)
        yield writer, reader


def _points(gauge: Gauge, *, late: bool) -> list[str]:
    chosen = (gauge.at >= LATE) == late
    readings = zip(gauge.watts[chosen].tolist(), gauge.at[chosen].tolist(), strict=True)
    return [f"power,host={gauge.machine} watts={watts!r} {at}" for watts, at in readings]


def _described(gauge: Gauge) -> str:
    tags = f"host={gauge.machine},serial={gauge.machine.replace('ET-', 'SN')},model=rack-{gauge.rated_watts}"
    return f"machine_info,{tags} rated_watts={gauge.rated_watts} {gauge.at[0]}"


@pytest.fixture(scope="module")
def ethiopia(influx: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    _, reader = influx
    with deployed(site="ethiopia", folder=tmp_path_factory.mktemp("home"), variables=reached(reader)) as deployment:
        result = deployment.collect()
        assert result.success, causes(result)
        yield deployment


@pytest.fixture(scope="module")
def truth(month: list[Gauge]) -> Ints:
    return np.array([gauge.true_wh() for gauge in month])


def of(trouble: Trouble, month: list[Gauge]) -> int:
    return next(index for index, gauge in enumerate(month) if gauge.trouble is trouble)


def test_what_has_come_is_the_truth_and_what_has_not_is_missing(
    ethiopia: Deployment, truth: Ints, month: list[Gauge]
) -> None:
    stored, expected = ethiopia.stored(), truth.copy()
    assert stored.machines == [gauge.machine for gauge in month]
    assert stored.wh.shape == (100, 31 * 24)
    last = ethiopia.hours_of(LAST_DAY)
    expected[:LATE_MACHINES, last] = -1
    # The hour before the late day is not whole either: its last reading lies some minutes before midnight.
    expected[:LATE_MACHINES, last.start - 1] = -1
    np.testing.assert_array_equal(stored.wh, expected)


def test_the_late_day_makes_a_second_revision_that_is_whole(
    ethiopia: Deployment, influx: Servers, truth: Ints, month: list[Gauge]
) -> None:
    writer, _ = influx
    late = [line for gauge in month[:LATE_MACHINES] for line in _points(gauge, late=True)]
    write_points(writer, database="site", lines=late)
    before = ethiopia.collections()
    result = ethiopia.collect()
    assert result.success, causes(result)
    np.testing.assert_array_equal(ethiopia.stored().wh, truth)
    new = sorted(set(ethiopia.collections()) - set(before))
    assert new == [(date(2025, 10, 30), 2, "accepted"), (LAST_DAY, 2, "accepted")]
    assert before == [(day, 1, "accepted") for day in days(FIRST_DAY, LAST_DAY)]


def test_a_month_that_has_come_whole_stays_as_it_is(ethiopia: Deployment) -> None:
    before = ethiopia.collections()
    result = ethiopia.collect()
    assert result.success, causes(result)
    assert ethiopia.collections() == before


def test_hours_with_a_long_hole_are_missing_and_no_others(truth: Ints, month: list[Gauge]) -> None:
    missing = (truth < 0).sum(axis=1)
    assert np.flatnonzero(missing).tolist() == [of(Trouble.LONG_HOLE, month)]
    assert missing.max() in (5, 6)  # 50 readings are absent: four hours and a quarter


def test_troubles_are_flagged_and_nothing_else_is(ethiopia: Deployment, month: list[Gauge]) -> None:
    absurd, unrated = month[of(Trouble.ABSURD, month)], month[of(Trouble.UNRATED, month)]
    flags = {(machine, flag) for (machine, _), flag in ethiopia.flags().items()}
    assert flags == {(absurd.machine, "refused"), (unrated.machine, "unrated")}
    refused = ethiopia.rows("select distinct machine, at, value::float8 from albacore.quarantined_reading")
    assert [(row.machine, row.at.timestamp(), row.value) for row in refused] == [
        (absurd.machine, absurd.hit[0], pytest.approx(1.3 * absurd.rated_watts))
    ]


def test_a_wrong_password_fails_the_partition_in_one_line(
    ethiopia: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, november = ethiopia.collections(), date(2025, 11, 1)
    monkeypatch.setenv("ETHIOPIA_PASSWORD", "not-the-password")
    result = ethiopia.collect(first=november, last=november, assets=["consumption"])
    assert causes(result) == [
        "ethiopia 2025-11-01: the machines: the credentials were refused (HTTP 401);"
        " check ETHIOPIA_USERNAME and ETHIOPIA_PASSWORD"
    ]
    assert ethiopia.collections() == before


def test_strangers_are_refused(influx: Servers) -> None:
    question = {"db": "site", "q": "SHOW MEASUREMENTS"}
    assert httpx.get(f"{influx[1].url}/query", params=question).status_code == 401


def test_the_reader_may_not_write(influx: Servers) -> None:
    with influx[1].client() as client:
        answer = client.post("/write", params={"db": "site"}, content="power,host=ET-0001 watts=1 1")
    assert answer.status_code == 403
