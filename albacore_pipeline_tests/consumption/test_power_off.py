"""Hours in which a machine stood still by a verified power-off: zero where no reading says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.consumption.energy import EnergyDay, Flag, Quality, derive
from albacore_pipeline.data_centres.interface import Machine, Meaning
from albacore_pipeline.periods import Window
from albacore_pipeline_tests.consumption.days import (
    RATED,
    SITE_OF,
    Points,
    letters,
    level,
    samples,
    steady,
    window_of,
    without,
)
from albacore_pipeline_tests.consumption.test_energy_properties import MEANINGS, Series, sound, wild_series

Spans = Sequence[tuple[float, float]]
"""(minutes after the day's start, the same)"""


def day_of(meaning: Meaning, series: Sequence[tuple[str, Points]], spans: Spans, *, margin: float = 3) -> EnergyDay:
    """The day of these series, machine A being off in these spans."""
    site = SITE_OF[meaning]
    window = window_of(site)
    off = [Window(window.start + timedelta(minutes=a), window.start + timedelta(minutes=b)) for a, b in spans]
    return derive(
        batches=[samples(meaning, series)],
        machines=[Machine(name=name, rated_watts=RATED) for name in sorted({"A", *(name for name, _ in series)})],
        window=window,
        site=site,
        off={"A": off, "unknown": off},
    )


def one(meaning: Meaning, points: Points, spans: Spans) -> EnergyDay:
    return day_of(meaning, [("A", points)], spans)


def test_a_machine_off_all_day_that_says_nothing_is_measured_zero() -> None:
    day = day_of(Meaning.GAUGE_W, [("B", level(100))], [(-600, 2000)])
    assert (letters(day), day.wh[0], day.flags[0]) == ("m" * 24, 0, (Flag.OFF,))
    assert day.day_quality()[0] == "measured"
    assert day.flags[1] == ()


def test_without_a_power_off_nothing_said_is_missing() -> None:
    day = day_of(Meaning.GAUGE_W, [("B", level(100))], [])
    assert (letters(day), day.flags[0]) == ("x" * 24, ())


@pytest.mark.parametrize(("meaning", "points"), [
    (Meaning.GAUGE_W, without(level(1200), 595, 865)),
    (Meaning.INTERVAL_WH, without(level(300, step=15), 600, 870)),
])  # fmt: skip
def test_only_whole_hours_are_zero(meaning: Meaning, points: Points) -> None:
    day = one(meaning, points, [(599, 862)])
    off = letters(day)[10:14]
    assert off == "mmmm"
    assert day.hourly_wh[0, 10:14].tolist() == [0, 0, 0, 0]
    assert letters(day)[14] == "x", "the hour in which it came back is not known"
    assert day.flags[0] == (Flag.OFF,)


@pytest.mark.parametrize("meaning", [Meaning.GAUGE_W, Meaning.COUNTER_WH, Meaning.INTERVAL_WH])
def test_samples_always_win(meaning: Meaning) -> None:
    points = {
        Meaning.GAUGE_W: level(1200),
        Meaning.COUNTER_WH: steady(5000, per_minute=20),
        Meaning.INTERVAL_WH: level(300, step=15),
    }[meaning]
    said, known = one(meaning, points, [(300, 1200)]), one(meaning, points, [])
    assert said.hourly_wh.tolist() == known.hourly_wh.tolist()
    assert said.flags == known.flags


def test_one_sample_keeps_its_hour_from_being_zero() -> None:
    day = one(Meaning.GAUGE_W, [*without(level(1200), 595, 900), (690, 40)], [(598, 895)])
    assert letters(day)[10:14] == "mxmm"


def test_a_reading_that_is_refused_keeps_its_hour_from_being_zero() -> None:
    day = one(Meaning.GAUGE_W, [*without(level(1200), 595, 900), (690, 1e9), (750, float("nan"))], [(598, 895)])
    assert letters(day)[10:14] == "mxxm"


def test_a_feed_that_goes_on_keeps_the_hours_from_being_zero() -> None:
    day = day_of(Meaning.GAUGE_W, [("A", without(level(600), 595, 900)), ("A", level(600))], [(598, 895)])
    assert letters(day)[10:14] == "xxxx"


def test_what_a_counter_kept_over_a_power_off_is_spread_over_the_rest_only() -> None:
    """300 Wh from 9:30 to 10:00, nothing till 14:00, 300 Wh till 14:30: the total stays, the hours off are zero."""
    before, after = steady(10_000, per_minute=10, last=570), steady(7_600, per_minute=10, first=870)
    day = one(Meaning.COUNTER_WH, [*before, *after], [(600, 840)])
    assert letters(day)[8:16] == "mimmmmim"
    assert day.hourly_wh[0, 8:16].tolist() == [600, 600, 0, 0, 0, 0, 600, 600]
    assert day.flags[0] == (Flag.OFF,)


def test_a_counter_that_rose_more_than_it_could_outside_its_power_off_drew_in_it() -> None:
    before, after = steady(10_000, per_minute=10, last=595), steady(10_000, per_minute=10, first=845)
    day = one(Meaning.COUNTER_WH, [*before, *after], [(600, 840)])
    assert letters(day)[9:15] == "iiiiii"
    assert day.wh[0] == 24 * 600
    assert day.flags[0] == ()


def test_such_a_counter_makes_no_hour_zero_where_its_total_is_not_known_either() -> None:
    """Its hole reaches over midnight farther than the margin: the neighbouring day does not see its beginning."""
    points = [*steady(10_000, per_minute=10, last=1020), (1500, 10_000 + 15_000)]
    assert letters(one(Meaning.COUNTER_WH, points, [(1020, 1500)]))[17:] == "x" * 7
    rested = [*steady(10_000, per_minute=10, last=1020), (1500, 20_200)]
    assert letters(one(Meaning.COUNTER_WH, rested, [(1020, 1500)]))[17:] == "m" * 7


def test_a_counter_that_began_anew_after_its_power_off_counts_from_zero() -> None:
    before, after = steady(10_000, per_minute=10, last=595), steady(-8_400, per_minute=10, first=845)
    day = one(Meaning.COUNTER_WH, [*before, *after], [(600, 840)])
    assert letters(day)[10:14] == "mmmm"
    assert day.hourly_wh[0, 10:14].sum() == 0
    assert day.flags[0] == (Flag.OFF, Flag.RESET)


def test_a_counter_may_stand_still_in_several_power_offs_of_one_hole() -> None:
    before, after = steady(10_000, per_minute=10, last=600), steady(5_800, per_minute=10, first=1080)
    day = one(Meaning.COUNTER_WH, [*before, *after], [(600, 780), (840, 1080)])
    assert day.hourly_wh[0, 10:18].tolist() == [0, 0, 0, 600, 0, 0, 0, 0]
    assert letters(day)[10:18] == "mmmimmmm"


@st.composite
def power_offs(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Spans in order that don't touch."""
    edges = sorted(draw(st.lists(st.integers(-300, 1800), min_size=0, max_size=6, unique=True)))
    return [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(MEANINGS, wild_series(), power_offs())
@settings(max_examples=60)
def test_an_hour_is_made_zero_only_within_a_span_and_where_nothing_was_said(
    meaning: Meaning, series: Series, spans: list[tuple[float, float]]
) -> None:
    told, untold = day_of(meaning, series, spans), day_of(meaning, series, [])
    sound(told)
    hour = np.arange(24) * 60
    within = np.zeros(24, dtype=np.bool_)
    for first, last in spans:
        within |= (hour >= first) & (hour + 60 <= last)
    said = np.zeros(24, dtype=np.bool_)
    if meaning is not Meaning.INTERVAL_WH:
        for at in (at for name, points in series if name == "A" for at, _ in points if 0 <= at < 1440):
            said[int(at // 60)] = True
    made = (told.quality[0] == Quality.MEASURED) & (untold.quality[0] != Quality.MEASURED)
    zero = made & (told.hourly_wh[0] == 0)
    if meaning is not Meaning.COUNTER_WH:
        assert not (made & ~within).any()
        kept = told.quality[0] == untold.quality[0]
        assert (told.hourly_wh[0] == untold.hourly_wh[0])[kept].all()
        assert not (zero & within & said & (untold.quality[0] == Quality.MISSING)).any()
    assert (told.hourly_wh[1:] == untold.hourly_wh[1:]).all(), "other machines have no part in it"
    if not within.any():
        assert Flag.OFF not in told.flags[0]


@given(
    first=st.integers(210, 750), length=st.integers(0, 480), before=st.integers(0, 200), after=st.integers(0, 200),
    rate=st.integers(0, 60),
)  # fmt: skip
@settings(max_examples=60)
def test_what_a_counter_counted_stays_whatever_power_off_is_told(
    first: int, length: int, before: int, after: int, rate: int
) -> None:
    """It draws evenly but in its power-off, around which its readings are lacking."""
    last = first + length

    def drawn(at: float) -> float:
        return 10_000 + rate * (at - min(max(at - first, 0), length))

    course = [(5.0 * n, drawn(5.0 * n)) for n in range(-36, 325)]
    points = without(course, first - before, last + after)
    day = one(Meaning.COUNTER_WH, points, [(first, last)])
    assert day.wh[0] == round(drawn(1440)) - round(drawn(0))
    whole = [hour for hour in range(24) if first <= hour * 60 and (hour + 1) * 60 <= last]
    assert all(day.hourly_wh[0, hour] == 0 for hour in whole)
