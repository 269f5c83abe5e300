"""Indonesia, collected from a real VictoriaMetrics through Dagster into the embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import numpy as np
import pytest

from albacore_pipeline.periods import SystemClock, days, local_day
from albacore_pipeline_tests.real import intervals, metrics_servers
from albacore_pipeline_tests.real.deployment import Deployment, Stored, causes, deployed, reached
from albacore_pipeline_tests.real.intervals import TIMEZONE, Meter, Trouble
from albacore_pipeline_tests.real.loads import FIRST_DAY, LAST_DAY, seconds
from albacore_pipeline_tests.real.servers import RealServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def month() -> list[Meter]:
    return intervals.meters()


@pytest.fixture(scope="module")
def victoria(month: list[Meter], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    lines = intervals.written(month, now=seconds(SystemClock().now()))
    with metrics_servers.victoria_metrics(folder=tmp_path_factory.mktemp("victoria"), lines=lines) as server:
        yield server


@pytest.fixture(scope="module")
def indonesia(victoria: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(site="indonesia", folder=tmp_path_factory.mktemp("home"), variables=reached(victoria)) as deployment:
        result = deployment.collect()
        assert result.success, causes(result)
        yield deployment


@pytest.fixture(scope="module")
def stored(indonesia: Deployment, month: list[Meter]) -> Stored:
    stored = indonesia.stored()
    assert stored.machines == [meter.machine for meter in month]
    assert stored.wh.shape == (100, 31 * 24)
    return stored


def of(trouble: Trouble, month: list[Meter]) -> int:
    return next(index for index, meter in enumerate(month) if meter.trouble is trouble)


def days_in_trouble(meter: Meter) -> set[date]:
    """The site's days in which an interval in trouble ends."""
    return {local_day(at=datetime.fromtimestamp(end, UTC), timezone=TIMEZONE) for end in meter.hit.tolist()}


def test_every_hour_that_can_be_known_is_the_truth_and_no_other_is(stored: Stored, month: list[Meter]) -> None:
    truth = np.array([meter.true_wh() for meter in month])
    one_series = np.arange(len(month)) != of(Trouble.MOVED, month)
    np.testing.assert_array_equal(stored.wh[one_series], truth[one_series])
    missing = {meter.machine: int((~meter.known()).sum()) for meter in month if not meter.known().all()}
    assert missing.keys() == {month[of(trouble, month)].machine for trouble in (Trouble.ABSENT, Trouble.ABSURD)}
    assert max(missing.values()) <= 2
    assert {"".join(set(quality)) for quality in stored.quality} <= {"m", "mx", "xm"}


def test_a_machine_that_moves_to_another_rack_loses_nothing(
    indonesia: Deployment, stored: Stored, month: list[Meter]
) -> None:
    index = of(Trouble.MOVED, month)
    (day,) = days_in_trouble(month[index])
    off = stored.wh[index] - month[index].true_wh()
    assert np.abs(np.cumsum(off)).max() <= 1  # two series are rounded each on its own
    assert not np.delete(off, np.arange(len(off))[indonesia.hours_of(day)]).any()
    assert stored.quality[index] == "m" * len(off)


def test_of_two_values_for_one_stamp_the_smaller_counts_flagged(indonesia: Deployment, month: list[Meter]) -> None:
    meter = month[of(Trouble.CONFLICT, month)]
    (day,) = days_in_trouble(meter)
    assert indonesia.flags()[meter.machine, day] == "conflict"
    question = "select at, value::float8, reason from albacore.quarantined_reading where machine = :machine"
    (refused,) = indonesia.rows(question, machine=meter.machine)
    assert refused.at.timestamp() == meter.hit[0]
    assert refused.value == pytest.approx(meter.kwh[meter.ends == meter.hit[0]][0] * 1200 + 10)


def test_more_than_the_machine_can_draw_is_set_apart(indonesia: Deployment, month: list[Meter]) -> None:
    meter = month[of(Trouble.ABSURD, month)]
    (day,) = days_in_trouble(meter)
    assert indonesia.flags()[meter.machine, day] == "refused"
    question = "select at, reason from albacore.quarantined_reading where machine = :machine"
    (refused,) = indonesia.rows(question, machine=meter.machine)
    assert refused.at.timestamp() == meter.hit[0]


def test_nothing_else_is_flagged_or_set_apart(indonesia: Deployment, month: list[Meter]) -> None:
    flagged = {month[of(trouble, month)].machine for trouble in (Trouble.CONFLICT, Trouble.ABSURD)}
    assert {machine for machine, _ in indonesia.flags()} == flagged
    assert len(indonesia.rows("select machine from albacore.quarantined_reading")) == 2


def test_machines_are_described_as_victoria_metrics_has_them(indonesia: Deployment, month: list[Meter]) -> None:
    known = indonesia.rows("select machine, model, rated_watts from albacore.machine where site = :site")
    assert {tuple(row) for row in known} == {
        (meter.machine, f"rack-{meter.rated_watts}", meter.rated_watts) for meter in month
    }


def test_collecting_the_month_again_stores_nothing_new(indonesia: Deployment) -> None:
    before = indonesia.collections()
    assert before == [(day, 1, "accepted") for day in days(FIRST_DAY, LAST_DAY)]
    result = indonesia.collect()
    assert result.success, causes(result)
    assert indonesia.collections() == before


def test_strangers_are_refused(victoria: RealServer) -> None:
    assert httpx.get(f"{victoria.url}/api/v1/export", params={"match[]": "machine_info"}).status_code == 401
