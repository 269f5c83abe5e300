from __future__ import annotations

import pytest

from albacore_pipeline.consumption.energy import EnergyDay
from albacore_pipeline.data_centres.interface import Meaning
from albacore_pipeline_tests.consumption.days import Points, changed, derived, letters, level, samples, without


def gauge(points: Points, **more: object) -> EnergyDay:
    return derived(Meaning.GAUGE_W, {"FI-0001": points}, **more)  # type: ignore[arg-type]


def test_a_trapezoid_runs_from_reading_to_reading() -> None:
    rising = [(at, 1000 + at) for at, _ in level(0, first=-178)]
    day = gauge(rising)
    assert letters(day) == "m" * 24
    assert day.hourly_wh[0].tolist() == [1030 + 60 * hour for hour in range(24)]  # the mean of each hour


def test_hours_sum_to_the_day_where_each_alone_would_not() -> None:
    day = gauge(level(1000.4))
    assert day.wh.tolist() == [round(24 * 1000.4)]
    assert set(day.hourly_wh[0].tolist()) == {1000, 1001}


@pytest.mark.parametrize(
    ("gap", "quality"),
    [
        ((600, 615), "m" * 24),
        ((600, 620), "m" * 10 + "x" + "m" * 13),
        ((595, 615), "m" * 9 + "xx" + "m" * 13),
        ((600, 660), "m" * 10 + "x" + "m" * 13),  # both ends on the hour
        ((-10, 10), "x" + "m" * 23),
        ((1435, 1450), "m" * 24),
        ((1435, 1455), "m" * 23 + "x"),
        ((-181, 1440), "x" * 24),
    ],
)
def test_an_hour_with_a_hole_is_missing_whole(gap: tuple[int, int], quality: str) -> None:
    day = gauge(without(level(1200), *gap))
    assert letters(day) == quality
    assert day.hourly_wh[0].tolist() == [0 if letter == "x" else 1200 for letter in quality]


def test_a_missing_hour_has_no_part_in_the_rounding_of_the_others() -> None:
    day = gauge(without(level(1000.052), 590, 650))
    assert letters(day) == "m" * 9 + "xx" + "m" * 13
    assert day.wh.tolist() == [round(22 * 1000.052)]


def test_the_ends_of_what_is_known_are_no_full_hours() -> None:
    assert letters(gauge(level(1200, first=60, last=1380))) == "x" + "m" * 22 + "x"
    assert letters(gauge(level(1200, first=61, last=1376))) == "xx" + "m" * 20 + "xx"


def test_a_reading_of_more_than_the_machine_can_draw_is_refused() -> None:
    day = gauge(changed(level(1200), {600: 3750.0, 605: 3750.5}))
    assert day.flags == [("refused",)]
    assert [refused.value for refused in day.refused] == ["3750.5"]
    assert letters(day) == "m" * 24
    three = gauge(changed(level(1200), {600: 4e3, 605: 1e5, 610: float("inf")}))
    assert letters(three) == "m" * 9 + "xx" + "m" * 13


def test_of_two_values_for_one_stamp_the_smaller_counts() -> None:
    day = gauge([*level(1200), (600.0, 600.0), (605.0, 1200.0)])
    assert day.flags == [("conflict",)]
    assert day.hourly_wh[0, 10] == 1200 - 25  # a dent of 600 W over a step
    assert gauge([*level(1200), *level(1200)]).flags == [()]


def test_zero_watts_are_zero_and_no_watts_are_missing() -> None:
    assert gauge(level(0)).day_quality() == ["measured"]
    assert gauge([]).day_quality() == ["missing"]


def averages(*points: tuple[float, float]) -> object:
    return samples(Meaning.AVERAGE_W, [("FI-0001", list(points))])


def test_an_average_fills_an_hour_that_is_missing_and_no_other() -> None:
    kept = without(level(1200), 110, 300)
    day = gauge(kept, more=[averages((60, 999), (120, 1100), (180, 1300.6), (300, 999))])
    assert letters(day) == "m" + "mmm" + "x" + "m" * 19
    assert day.hourly_wh[0, :6].tolist() == [1200, 999, 1100, 1301, 0, 1200]
    assert day.flags == [("trend",)]


def test_averages_alone_make_a_day_whichever_batch_comes_first() -> None:
    every = averages(*[(60.0 * hour, 1000.25) for hour in range(-3, 27)])
    day = gauge([], more=[every])
    assert letters(day) == "m" * 24
    assert day.wh.tolist() == [24_006]
    assert day.flags == [("trend",)]


def test_averages_that_change_nothing_leave_no_flag() -> None:
    day = gauge(level(1200), more=[averages((60, 999))])
    assert day.flags == [()]
    assert day.wh.tolist() == [24 * 1200]


def test_an_average_above_what_the_machine_can_draw_is_refused() -> None:
    day = gauge(without(level(1200), 60, 120), more=[averages((60, 3751))])
    assert letters(day)[1] == "x"
    assert day.flags == [("refused",)]
