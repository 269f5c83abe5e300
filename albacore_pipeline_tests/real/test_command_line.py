"""A day of Norway, collected from a real Prometheus by Dagster's own command line into a new database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest

from albacore_pipeline.periods import SystemClock, day_window
from albacore_pipeline_tests.real import counters, metrics_servers
from albacore_pipeline_tests.real.counters import TIMEZONE, Counter
from albacore_pipeline_tests.real.deployment import Deployment, deployed, reached
from albacore_pipeline_tests.real.loads import seconds

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
LONG_DAY = date(2025, 10, 26)


@pytest.fixture(scope="module")
def month() -> list[Counter]:
    return counters.counters(machines=3)


@pytest.fixture(scope="module")
def norway(month: list[Counter], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("prometheus")
    counters.write_openmetrics(month, folder / "month.om", now=seconds(SystemClock().now()))
    with (
        metrics_servers.prometheus(folder=folder, openmetrics=folder / "month.om") as server,
        deployed(site="norway", folder=tmp_path_factory.mktemp("home"), variables=reached(server)) as deployment,
    ):
        yield deployment


def test_a_day_is_collected(norway: Deployment, month: list[Counter]) -> None:
    said = norway.materialize(LONG_DAY)
    assert said.returncode == 0, said.stderr
    stored = norway.stored()
    assert stored.machines == [counter.machine for counter in month]
    day = day_window(day=LONG_DAY, timezone=TIMEZONE)
    np.testing.assert_array_equal(stored.wh, [counter.true_wh(day) for counter in month])
    assert stored.quality == ["m" * 25] * 3
    assert norway.collections() == [(LONG_DAY, 1, "accepted")]


def test_a_wrong_password_is_named_and_not_told(norway: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    before, november = norway.collections(), date(2025, 11, 1)
    monkeypatch.setenv("NORWAY_PASSWORD", "not-the-password")
    said = norway.materialize(november)
    assert said.returncode == 1
    cause = f"norway {november}: the machines: the credentials were refused (HTTP 401)"
    assert f"{cause}; check NORWAY_USERNAME and NORWAY_PASSWORD" in said.stderr
    assert "not-the-password" not in said.stderr + said.stdout
    assert norway.collections() == before


def test_a_day_on_which_no_meter_was_read_stays_open(norway: Deployment) -> None:
    before, beyond = norway.collections(), date(2025, 11, 3)  # the readings end on the first of November
    said = norway.materialize(beyond)
    assert said.returncode == 1
    assert f"norway {beyond}: the machines: the site lists none" in said.stderr
    assert norway.collections() == before
