from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from albacore_pipeline.consumption.energy import EnergyDay
from albacore_pipeline.data_centres.interface import Meaning
from albacore_pipeline.periods import Window
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.consumption.days import (
    DAY,
    Points,
    changed,
    derived,
    letters,
    steady,
    window_of,
    without,
)

SITE = SITES["norway"]
FULL = 2**32


def counter(points: Points, **more: object) -> EnergyDay:
    return derived(Meaning.COUNTER_WH, {"NO-0001": points}, **more)  # type: ignore[arg-type]


def test_positive_differences_add_up_and_hours_sum_to_the_day() -> None:
    day = counter(steady(1_000_000.4, per_minute=50.01, first=-178, last=1620, step=5))
    assert day.wh.tolist() == [round(1_000_000.4 + 1440 * 50.01) - 1_000_000]
    assert day.hourly_wh.sum() == day.wh[0]
    assert letters(day) == "m" * 24
    assert day.flags == [()]


def test_midnight_is_interpolated_between_the_samples_around_it() -> None:
    day = counter([(-2, 100.0), (2, 300.0), (5, 400.0)])
    assert day.hourly_wh[0, 0] == 0  # the hour is not covered
    samples = [*steady(200, per_minute=50, first=-2, last=58, step=4), (62, 3300.0)]
    day = counter(samples)
    assert day.hourly_wh[0, 0] == 3000
    assert letters(day)[:2] == "mx"


@pytest.mark.parametrize(
    ("before", "after", "step", "flags"),
    [
        (1_000_000.0, 0.0, 0, ("reset",)),  # a fall to zero: nothing was drawn that we know of
        (1_000_000.0, 200.0, 200, ("reset",)),  # the new value could have been drawn since: it counts
        (1_000_000.0, 312.0, 312, ("reset",)),  # just
        (1_000_000.0, 313.0, 0, ("reset",)),  # it could not: nothing counts
        (1_000_000.0, 900_000.0, 0, ("reset",)),
        (FULL - 100.0, 150.0, 250, ("rollover",)),
        (FULL - 100.0, 212.0, 312, ("rollover",)),
        (FULL - 100.0, 213.0, 213, ("reset",)),  # too much for a rollover, but not for a reset
        (FULL - 5000.0, 150.0, 150, ("reset",)),  # too far from the edge
        (FULL + 5000.0, 150.0, 150, ("reset",)),  # this counter is wider
        (5000.0, 5312.0, 312, ()),
        (5000.0, 5000.5, 1, ()),  # halves are rounded up
    ],
)
def test_what_a_step_counts(before: float, after: float, step: int, flags: tuple[str, ...]) -> None:
    points = [
        *[(at, before) for at in range(-180, 601, 5)],
        *[(at, after) for at in range(605, 1621, 5)],
    ]
    day = counter(points)
    assert day.wh.tolist() == [step]
    assert day.hourly_wh[0, 10] == step
    assert letters(day) == "m" * 24
    assert day.flags == [flags]
    assert day.refused == []


def test_energy_goes_on_from_the_new_value_after_a_reset() -> None:
    before = steady(1_000_000, per_minute=50, last=600)
    after = [(at, (at - 600) * 50.0) for at in range(605, 1621, 5)]
    day = counter([*before, *after])
    assert day.wh.tolist() == [72_000]
    assert set(day.hourly_wh[0].tolist()) == {3000}


def test_fractions_on_both_sides_of_a_reset_never_make_the_energy_fall() -> None:
    points = [(at, 1000.9 if at < 600 else 0.2 if at < 900 else 100.2) for at in range(-180, 1621, 5)]
    day = counter(points)
    assert day.hourly_wh[0].tolist() == [0] * 14 + [100] + [0] * 9


def test_a_reset_in_the_margin_is_the_other_day_s_to_flag() -> None:
    points = [(at, float(50 * (at + 180)) if at > -100 else 1e6 + 50 * at) for at in range(-180, 1621, 5)]
    assert counter(points).flags == [()]
    assert counter(points).wh.tolist() == [72_000]


def test_a_spike_is_dropped_and_quarantined_and_nothing_is_lost() -> None:
    course = steady(1_000_000, per_minute=50)
    day = counter(changed(course, {600: 1e9, 605: 1e9, 610: 1e9}))
    assert day.wh.tolist() == [72_000]
    assert day.flags == [("refused",)]
    assert [refused.value for refused in day.refused] == ["1000000000.0"] * 3
    assert letters(day) == "m" * 9 + "ii" + "m" * 13  # the step over the spike is long
    one = counter(changed(course, {600: 1e9}))
    assert one.wh.tolist() == [72_000]
    assert letters(one) == "m" * 24


def test_a_dip_from_which_the_counter_comes_back_is_no_reset() -> None:
    day = counter(changed(steady(1_000_000, per_minute=50), {600: 0.0, 605: 10.0}))
    assert day.wh.tolist() == [72_000]
    assert day.flags == [("refused",)]


def test_a_jump_that_stays_leaves_its_hour_missing_and_reading_goes_on() -> None:
    day = counter([(at, value + (1e9 if at >= 615 else 0)) for at, value in steady(1_000_000, per_minute=50)])
    assert letters(day) == "m" * 10 + "x" + "m" * 13
    assert day.wh.tolist() == [23 * 3000]
    assert day.flags == [("refused",)]
    assert len(day.refused) == 1


def test_a_counter_that_went_to_another_unit_is_missing_from_there() -> None:
    course = steady(1_000_000, per_minute=50)
    day = counter([(at, value * (1000 if at > 600 else 1)) for at, value in course])
    assert letters(day) == "m" * 10 + "x" * 14
    assert day.wh.tolist() == [30_000]


def test_a_counter_that_is_read_late_now_and_then_loses_nothing() -> None:
    course = dict(steady(1_000_000, per_minute=50))
    course[605] = course[600]  # the meter's cache was not renewed in time: twice the step follows
    assert counter(course.items()).wh.tolist() == [72_000]


@pytest.mark.parametrize(
    ("gap", "quality"),
    [
        ((600, 615), "m" * 24),
        ((600, 620), "m" * 10 + "i" + "m" * 13),
        ((595, 900), "m" * 9 + "i" * 6 + "m" * 9),
        ((5, 1435), "i" * 24),
        ((-60, 120), "ii" + "m" * 22),  # over midnight, not longer than the margin
        ((-65, 120), "xx" + "m" * 22),  # longer
        ((1380, 1560), "m" * 23 + "i"),
        ((1375, 1560), "m" * 22 + "xx"),
    ],
)
def test_a_gap_keeps_its_total_spread_evenly(gap: tuple[int, int], quality: str) -> None:
    day = counter(without(steady(1_000_000, per_minute=50), *gap))
    assert letters(day) == quality
    assert day.hourly_wh[0].tolist() == [0 if letter == "x" else 3000 for letter in quality]
    assert day.day_quality() == ["partial" if "x" in quality else "interpolated" if "i" in quality else "measured"]


def test_a_gap_of_more_than_a_day_is_an_estimate_where_the_margin_shows_its_ends() -> None:
    site = replace(SITE, margin=timedelta(hours=48))
    points = without(steady(1_000_000, per_minute=50, first=-2880, last=4320), -300, 1800)
    day = counter(points, site=site)
    assert letters(day) == "e" * 24
    assert day.hours_estimated.tolist() == [24]
    assert day.hours_measured.tolist() == [0]
    assert day.estimated_wh.tolist() == day.wh.tolist() == [72_000]
    assert day.day_quality() == ["estimated"]


def test_no_samples_or_one_alone_is_missing_and_not_zero() -> None:
    for points in ([], [(600.0, 5.0)], [(-10.0, 5.0), (-5.0, 5.0)]):
        day = counter(points)
        assert letters(day) == "x" * 24
        assert day.day_quality() == ["missing"]
        assert day.hours_measured.tolist() == [0]


def test_samples_that_say_zero_are_zero() -> None:
    day = counter(steady(777, per_minute=0))
    assert day.wh.tolist() == [0]
    assert day.day_quality() == ["measured"]


@pytest.mark.parametrize("rate", [50.003, 12.3456789])
@pytest.mark.parametrize("changes", [date(2025, 3, 30), date(2025, 10, 26), date(2026, 3, 29), date(2026, 10, 25)])
def test_neighbouring_days_share_midnight_over_the_change_of_the_clocks(changes: date, rate: float) -> None:
    days = [changes - timedelta(days=1), changes, changes + timedelta(days=1)]
    windows = [window_of(SITE, day) for day in days]
    whole = Window(windows[0].start, windows[-1].end)
    points = steady(1_000_000.7, per_minute=rate, first=-180, last=whole.hours * 60 + 180, step=4.9)
    together = counter(points, window=whole)
    apart = []
    for window in windows:
        shift = (window.start - whole.start) / timedelta(minutes=1)
        apart.append(counter([(at - shift, value) for at, value in points], window=window))
    assert [day.hourly_wh.shape[1] for day in apart] == [24, 23 if changes.month == 3 else 25, 24]
    assert sum(int(day.wh[0]) for day in apart) == int(together.wh[0])
    assert [wh for day in apart for wh in day.hourly_wh[0].tolist()] == together.hourly_wh[0].tolist()


def test_the_larger_of_two_values_for_one_stamp_is_a_conflict() -> None:
    points = [*steady(1_000_000, per_minute=50), (600.0, 1_030_100.0), (605.0, 1_030_250.0)]
    day = counter(points)
    assert day.wh.tolist() == [72_000]
    assert day.flags == [("conflict",)]
    assert [(refused.value, refused.reason[:8]) for refused in day.refused] == [("1030100.0", "conflict")]


def test_a_value_beyond_exact_numbers_is_refused() -> None:
    day = counter(changed(steady(1_000_000, per_minute=50), {600: 1e300}))
    assert day.flags == [("refused",)]
    assert day.wh.tolist() == [72_000]


def test_the_day_is_that_of_the_site() -> None:
    assert window_of(SITE, DAY).start.isoformat() == "2025-10-19T22:00:00+00:00"
