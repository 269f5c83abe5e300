"""Norway, collected from a real Prometheus through Dagster into the embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx
import numpy as np
import pytest

from albacore_pipeline.periods import SystemClock, day_window, days
from albacore_pipeline_tests.real import counters, metrics_servers
from albacore_pipeline_tests.real.counters import RESET_AT, ROLLOVER_AT, TIMEZONE, Counter, Trouble
from albacore_pipeline_tests.real.deployment import Deployment, Stored, causes, deployed, reached
from albacore_pipeline_tests.real.loads import FIRST_DAY, LAST_DAY, Ints, boundaries, seconds
from albacore_pipeline_tests.real.servers import RealServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
LONG_DAY = date(2025, 10, 26)


@pytest.fixture(scope="module")
def month() -> list[Counter]:
    return counters.counters()


@pytest.fixture(scope="module")
def prometheus(month: list[Counter], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    folder = tmp_path_factory.mktemp("prometheus")
    counters.write_openmetrics(month, folder / "month.om", now=seconds(SystemClock().now()))
    with metrics_servers.prometheus(folder=folder, openmetrics=folder / "month.om") as server:
        yield server


@pytest.fixture(scope="module")
def norway(prometheus: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(site="norway", folder=tmp_path_factory.mktemp("home"), variables=reached(prometheus)) as deployment:
        result = deployment.collect()
        assert result.success, causes(result)
        yield deployment


@pytest.fixture(scope="module")
def stored(norway: Deployment, month: list[Counter]) -> Stored:
    stored = norway.stored()
    assert stored.machines == [counter.machine for counter in month]
    assert stored.wh.shape == (100, 31 * 24 + 1)
    return stored


@pytest.fixture(scope="module")
def truth(month: list[Counter]) -> Ints:  # (M, H) whole Wh
    return np.array([counter.true_wh() for counter in month])


def of(trouble: Trouble, month: list[Counter]) -> int:
    return next(index for index, counter in enumerate(month) if counter.trouble is trouble)


def test_every_hour_of_a_machine_without_troubles_is_the_truth(
    stored: Stored, truth: Ints, month: list[Counter]
) -> None:
    clean = [index for index, counter in enumerate(month) if counter.trouble is Trouble.NONE]
    assert len(clean) == 95
    np.testing.assert_array_equal(stored.wh[clean], truth[clean])
    assert {stored.quality[index] for index in clean} == {"m" * 745}


def test_the_hours_of_each_day_add_up_to_it(norway: Deployment, stored: Stored) -> None:
    rows = norway.rows("select machine, day, kwh from report.machine_days where site = :site")
    assert len(rows) == 100 * 31
    for row in rows:
        hours = stored.wh[stored.machines.index(row.machine), norway.hours_of(row.day)]
        assert round(row.kwh * 1000) == hours[hours >= 0].sum()


def test_watts_that_change_while_an_hour_begins_stay_within_what_the_readings_allow(
    norway: Deployment, stored: Stored, month: list[Counter]
) -> None:
    index = of(Trouble.RESTLESS, month)
    counter = month[index]
    level = counter.true_levels()
    off = np.cumsum(stored.wh[index]) - (level[1:] - level[0])
    doubt = counter.doubt(boundaries(counters.MONTH))
    assert (np.abs(off) <= doubt[1:] + doubt[0] + 1).all()
    assert np.abs(off).max() > 1  # the readings did leave doubt
    assert abs(off[-1]) <= doubt[0] + doubt[-1] + 1  # the month is as sure as a single hour: no error adds up


def test_a_short_hole_across_midnight_keeps_its_total(
    norway: Deployment, stored: Stored, truth: Ints, month: list[Counter]
) -> None:
    index = of(Trouble.SHORT_HOLE, month)
    before, after = norway.hours_of(date(2025, 10, 14)), norway.hours_of(date(2025, 10, 15))
    touched = slice(before.stop - 2, after.start + 2)
    assert stored.quality[index] == "m" * touched.start + "iiii" + "m" * (745 - touched.stop)
    assert stored.wh[index, touched].sum() == truth[index, touched].sum()
    midnight = boundaries(counters.MONTH)[after.start : after.start + 1]
    for day in (before, after):
        assert abs(stored.wh[index, day].sum() - truth[index, day].sum()) <= month[index].doubt(midnight)[0] + 1
    others = np.delete(np.arange(745), np.arange(745)[touched])
    np.testing.assert_array_equal(stored.wh[index, others], truth[index, others])


def test_a_hole_longer_than_the_margin_leaves_its_hours_missing(
    norway: Deployment, stored: Stored, truth: Ints, month: list[Counter]
) -> None:
    index = of(Trouble.LONG_HOLE, month)
    midnight = norway.hours_of(date(2025, 10, 10)).start
    missing = slice(midnight - 5, midnight + 5)  # the hours in which the hole begins and ends are not whole either
    assert stored.quality[index] == "m" * missing.start + "x" * 10 + "m" * (745 - missing.stop)
    known = stored.known()[index]
    np.testing.assert_array_equal(stored.wh[index, known], truth[index, known])
    gaps = norway.rows("select machine, day, hours_missing from report.gaps where site = :site order by day")
    name = month[index].machine
    assert [tuple(gap) for gap in gaps] == [(name, date(2025, 10, 9), 5), (name, date(2025, 10, 10), 5)]


def test_a_reset_loses_what_no_meter_showed_and_not_a_watt_hour_more(
    norway: Deployment, stored: Stored, truth: Ints, month: list[Counter]
) -> None:
    index = of(Trouble.RESET, month)
    counter, day = month[index], date(2025, 10, 20)
    lost = counter.lost_wh()
    assert 1 < lost < counter.rated_watts * counters.STEP / 3600
    short = truth[index] - stored.wh[index]
    assert np.flatnonzero(np.abs(short) > 1).tolist() == [
        int(np.searchsorted(boundaries(counters.MONTH), RESET_AT)) - 1
    ]
    assert 0 <= short.sum() - lost <= 2  # at most one Wh for the fraction that a meter from zero cuts, one for rounding
    assert norway.flags()[counter.machine, day] == "reset"
    assert set(stored.quality[index]) == {"m"}


def test_a_rollover_at_2_to_the_32nd_loses_nothing(
    norway: Deployment, stored: Stored, truth: Ints, month: list[Counter]
) -> None:
    index = of(Trouble.ROLLOVER, month)
    assert month[index].shown.max() > 4.29e9 and month[index].shown.min() < 1e6
    assert int(np.abs(np.cumsum(stored.wh[index]) - np.cumsum(truth[index])).max()) <= 1
    rolled = day_window(day=date(2025, 10, 23), timezone=TIMEZONE)
    assert rolled.start.timestamp() < ROLLOVER_AT < rolled.end.timestamp()
    assert norway.flags()[month[index].machine, date(2025, 10, 23)] == "rollover"


def test_nothing_is_flagged_that_is_sound_and_nothing_is_negative(
    norway: Deployment, stored: Stored, month: list[Counter]
) -> None:
    flagged = {month[of(trouble, month)].machine for trouble in (Trouble.RESET, Trouble.ROLLOVER)}
    assert {machine for machine, _ in norway.flags()} == flagged
    assert (stored.wh[stored.known()] >= 0).all()
    assert norway.rows("select machine from report.machine_hours where site = :site and kwh < 0") == []
    assert norway.rows("select * from albacore.quarantined_reading") == []


def test_the_twenty_sixth_has_25_hours(norway: Deployment) -> None:
    question = "select distinct day, hours_expected, hours_measured from report.machine_days where site = :site"
    hours = {row.day: row.hours_expected for row in norway.rows(question)}
    assert hours == {day: 25 if day == LONG_DAY else 24 for day in days(FIRST_DAY, LAST_DAY)}
    whole = f"{question} and day = :day"
    assert [tuple(row) for row in norway.rows(whole, day=LONG_DAY)] == [(LONG_DAY, 25, 25)]


def test_machines_are_described_as_prometheus_has_them(norway: Deployment, month: list[Counter]) -> None:
    known = norway.rows("select machine, serial, model, rated_watts from albacore.machine where site = :site")
    assert {row.machine: {**row._asdict(), "rated_watts": str(row.rated_watts)} for row in known} == {
        counter.machine: counter.labels for counter in month
    }


def test_collecting_the_month_again_stores_nothing_new(norway: Deployment) -> None:
    before = norway.collections()
    assert before == [(day, 1, "accepted") for day in days(FIRST_DAY, LAST_DAY)]
    result = norway.collect()
    assert result.success, causes(result)
    assert norway.collections() == before


def test_a_wrong_password_fails_the_partition_in_one_line_and_stores_nothing(
    norway: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, november = norway.collections(), date(2025, 11, 1)
    monkeypatch.setenv("NORWAY_PASSWORD", "not-the-password")
    result = norway.collect(first=november, last=november, assets=["consumption"])
    assert causes(result) == [
        "norway 2025-11-01: the machines: the credentials were refused (HTTP 401);"
        " check NORWAY_USERNAME and NORWAY_PASSWORD"
    ]
    assert norway.collections() == before


def test_strangers_are_refused(prometheus: RealServer) -> None:
    assert httpx.get(f"{prometheus.url}/api/v1/query?query=machine_info").status_code == 401
