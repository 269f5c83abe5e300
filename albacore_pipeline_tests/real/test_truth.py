"""The generators' own checks, without any server: what the readings say is what the machines drew."""

from __future__ import annotations

import numpy as np
import pytest

from albacore_pipeline.periods import Window
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.real import counters, gauges, intervals
from albacore_pipeline_tests.real.loads import HOUR, Load, october


@pytest.mark.parametrize(
    ("timezone", "start", "end"),
    [
        ("Europe/Oslo", "2025-09-30T22:00", "2025-10-31T23:00"),
        ("Europe/Helsinki", "2025-09-30T21:00", "2025-10-31T22:00"),
        ("Africa/Addis_Ababa", "2025-09-30T21:00", "2025-10-31T21:00"),
        ("Asia/Jakarta", "2025-09-30T17:00", "2025-10-31T17:00"),
    ],
)
def test_october_lies_where_the_almanac_has_it(timezone: str, start: str, end: str) -> None:
    assert october(timezone=timezone) == Window(utc(start), utc(end))


def test_energy_is_the_area_under_the_watts() -> None:
    at, watts = np.array([0, HOUR, 3 * HOUR]), np.array([100.0, 200.0, 0.0])
    instants = np.array([0, HOUR // 2, HOUR, 2 * HOUR, 3 * HOUR])
    steps, slopes = Load(at=at, watts=watts), Load(at=at, watts=watts, straight=True)
    np.testing.assert_allclose(steps.until(instants), [0, 50, 100, 300, 500])
    np.testing.assert_allclose(slopes.until(instants), [0, 62.5, 150, 300, 350])


def test_a_counter_gains_what_the_machine_drew() -> None:
    for counter in counters.counters(machines=12):
        np.testing.assert_allclose(np.diff(counter.shown), np.diff(counter.load.until(counter.at)), atol=1e-6)
        if counter.trouble in counters.HOLES:
            begin, finish = counters.HOLES[counter.trouble]
            assert finish - begin < np.diff(counter.at).max() < finish - begin + 2 * counters.STEP
        else:
            assert set(np.diff(counter.at)) == {counters.STEP}
            assert counter.at[0] % counters.STEP, "no reading falls on a round minute by rule"


def test_watts_change_between_most_readings_and_stand_still_where_an_hour_begins() -> None:
    clean, restless = counters.counters(machines=4)[0], counters.counters(machines=4)[3]
    for counter, still_at_hours in ((clean, True), (restless, False)):
        minutes = counter.load.watts[: (len(counter.at) - 1) * 5].reshape(-1, 5)
        still = np.ptp(minutes, axis=1) == 0
        over = counter.at[:-1] // HOUR != counter.at[1:] // HOUR
        assert still[over].all() == still_at_hours
        assert still[~over].mean() < 0.02


def test_intervals_add_up_to_what_was_drawn() -> None:
    for meter in intervals.meters(machines=4):
        begin = meter.ends[:1] - intervals.STEP
        drawn = meter.load.until(meter.ends) - meter.load.until(begin)
        np.testing.assert_allclose(np.cumsum(meter.kwh) * 1000, drawn, atol=1e-6)


def test_a_sensor_says_the_watts_of_the_instant() -> None:
    for gauge in gauges.gauges(prefix="ET", timezone="Africa/Addis_Ababa", machines=4):
        truth = np.interp(gauge.at, gauge.load.at, gauge.load.watts)
        np.testing.assert_allclose(gauge.watts, truth)
        starts, counts, watts = gauge.averages()
        first = (gauge.at >= starts[1]) & (gauge.at < starts[1] + HOUR)
        assert counts[1] == 12 and watts[1] == pytest.approx(gauge.watts[first].mean())
