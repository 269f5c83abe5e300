from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from albacore_pipeline.consumption.energy import derive
from albacore_pipeline.data_centres.interface import Machine, Meaning, Refused
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.consumption.days import (
    RATED,
    SITE_OF,
    derived,
    letters,
    level,
    samples,
    steady,
    window_of,
    without,
)

NORWAY = SITES["norway"]


@pytest.mark.parametrize(
    ("site", "day", "hours"),
    [
        ("norway", date(2025, 3, 30), 23),
        ("norway", date(2025, 10, 26), 25),
        ("finland", date(2025, 3, 30), 23),
        ("finland", date(2025, 10, 26), 25),
        ("finland", date(2026, 3, 29), 23),
        ("finland", date(2026, 10, 25), 25),
        ("ethiopia", date(2025, 10, 26), 24),
    ],
)
def test_a_day_has_the_hours_that_it_has(site: str, day: date, hours: int) -> None:
    window = window_of(SITES[site], day)
    points = {"M": level(1200, last=hours * 60 + 180)}
    result = derived(Meaning.GAUGE_W, points, site=SITES[site], window=window)
    assert result.hourly_wh.shape == (1, hours)
    assert result.wh.tolist() == [hours * 1200]
    assert result.hours_measured.tolist() == [hours]


def test_two_feeds_add_up_and_the_hole_of_one_is_a_hole() -> None:
    day = derived(Meaning.GAUGE_W, [("M", level(1200)), ("M", without(level(300), 600, 630))])
    assert letters(day) == "m" * 10 + "x" + "m" * 13
    assert day.wh.tolist() == [23 * 1500]


def test_an_outlet_that_moves_costs_its_hour_at_most() -> None:
    moved = [("M", steady(5000, per_minute=20, last=620)), ("M", steady(900_000, per_minute=20, first=625))]
    day = derived(Meaning.COUNTER_WH, moved)
    assert letters(day) == "m" * 10 + "x" + "m" * 13
    assert day.wh.tolist() == [23 * 1200]
    without_a_break = [("M", steady(5000, per_minute=20, last=620)), ("M", steady(900_000, per_minute=20, first=620))]
    day = derived(Meaning.COUNTER_WH, without_a_break)
    assert letters(day) == "m" * 24
    assert day.wh.tolist() == [24 * 1200]


def test_a_machine_without_an_answer_has_its_row() -> None:
    day = derived(Meaning.GAUGE_W, {"A": level(1200), "B": [], "C": level(600)})
    assert day.machines == ["A", "B", "C"]
    assert day.day_quality() == ["measured", "missing", "measured"]
    assert day.wh.tolist() == [28_800, 0, 14_400]


def test_the_worst_hour_names_the_day() -> None:
    day = derived(Meaning.COUNTER_WH, {"A": without(steady(1, per_minute=20, first=-120), 600, 700)})
    assert day.day_quality() == ["interpolated"]
    assert day.hours_measured.tolist() == [24]


def test_an_unrated_machine_is_bounded_by_the_site_and_flagged() -> None:
    day = derived(Meaning.GAUGE_W, {"M": level(12_500)}, rated=None)
    assert day.flags == [("unrated",)]
    assert day.day_quality() == ["measured"]
    assert derived(Meaning.GAUGE_W, {"M": level(12_501)}, rated=None).day_quality() == ["missing"]


@pytest.mark.parametrize("meaning", [Meaning.COUNTER_WH, Meaning.GAUGE_W, Meaning.INTERVAL_WH])
def test_what_can_be_no_reading_is_refused_and_leaves_its_hour_to_the_others(meaning: Meaning) -> None:
    step = 15 if meaning is Meaning.INTERVAL_WH else 5
    good = list(level(500, step=step))
    odd = [(600.0, float("nan")), (605.0, float("inf")), (610.0, -1.0), (-60.0, float("nan"))]
    day = derived(meaning, {"M": [*good, *odd]})
    assert day.day_quality() == ["measured"]
    assert day.flags == [("refused",)]
    assert sorted(refused.reason for refused in day.refused) == ["negative", *["not a finite number"] * 2]


def test_an_unknown_machine_goes_to_quarantine_and_into_nobody_s_row() -> None:
    batch = samples(Meaning.GAUGE_W, [("KNOWN", level(1200)), ("STRANGER", [(600.0, 700.0)])])
    machines = [Machine(name="KNOWN", rated_watts=RATED)]
    site = SITE_OF[Meaning.GAUGE_W]
    day = derive(batches=[batch], machines=machines, window=window_of(site), site=site)
    assert day.machines == ["KNOWN"]
    assert day.wh.tolist() == [28_800]
    assert [(refused.machine, refused.value) for refused in day.refused] == [("STRANGER", "700.0")]
    assert day.flags == [()]


def test_what_the_source_refused_is_handed_on_if_it_is_of_the_day() -> None:
    site = SITE_OF[Meaning.GAUGE_W]
    window = window_of(site)
    inside, outside = window.start, window.end
    refusals = [Refused(machine="M", at=at, value="x", reason="not a number") for at in (inside, outside, None, inside)]
    batch = replace(samples(Meaning.GAUGE_W, [("M", level(1200))]), refused=refusals)
    day = derive(batches=[batch], machines=[Machine(name="M", rated_watts=RATED)], window=window, site=site)
    assert sorted(str(refused.at) for refused in day.refused) == [str(inside), str(inside), "None"]
    assert day.flags == [("refused",)]


def test_readings_outside_of_the_margins_change_nothing() -> None:
    near = derived(Meaning.GAUGE_W, {"M": level(1200)})
    far = derived(Meaning.GAUGE_W, {"M": level(1200, first=-1000, last=3000)})
    assert near.content_hash() == far.content_hash()
    assert near.readings == far.readings == 288


def test_a_machine_that_comes_in_two_batches_is_an_error() -> None:
    with pytest.raises(ValueError, match="machine M came in two batches"):
        derived(Meaning.GAUGE_W, {"M": level(1)}, more=[samples(Meaning.GAUGE_W, [("M", level(1))])])


def test_a_machine_that_is_listed_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="bear the same name"):
        derive(batches=[], machines=[Machine(name="M"), Machine(name="M")], window=window_of(NORWAY), site=NORWAY)


def test_a_rating_beyond_reason_is_an_error() -> None:
    with pytest.raises(ValueError, match="rated above"):
        derived(Meaning.GAUGE_W, {"M": level(1)}, rated=2_000_000_000)


def test_nothing_at_all_is_a_day_without_machines() -> None:
    day = derive(batches=[], machines=[], window=window_of(NORWAY), site=NORWAY)
    assert (day.machines, day.day_quality(), day.readings, day.wh.tolist()) == ([], [], 0, [])


def test_the_hash_tells_apart_what_finance_would() -> None:
    base = derived(Meaning.COUNTER_WH, {"M": steady(1000, per_minute=20)})
    others = [
        derived(Meaning.COUNTER_WH, {"N": steady(1000, per_minute=20)}),
        derived(Meaning.COUNTER_WH, {"M": steady(1000, per_minute=21)}),
        derived(Meaning.COUNTER_WH, {"M": without(steady(1000, per_minute=20), 600, 660)}),
        derived(Meaning.COUNTER_WH, {"M": steady(1000, per_minute=20)}, rated=None),
        derived(Meaning.COUNTER_WH, {"M": steady(1000, per_minute=20), "N": []}),
    ]
    assert len({day.content_hash() for day in [base, *others]}) == 6
    assert derived(Meaning.COUNTER_WH, {"M": steady(7000, per_minute=20)}).content_hash() == base.content_hash()


def test_hours_count_from_the_day_s_start_in_zones_of_half_hours() -> None:
    site = replace(NORWAY, timezone="Asia/Kolkata")
    window = window_of(site)
    assert window.start == datetime(2025, 10, 19, 18, 30, tzinfo=UTC)
    day = derived(Meaning.COUNTER_WH, {"M": steady(0.0 + 10_000, per_minute=20)}, site=site, window=window)
    assert set(day.hourly_wh[0].tolist()) == {1200}
    averages = samples(Meaning.AVERAGE_W, [("M", [(60.0 * n - 30, 1000.0 + n) for n in range(25)])], window=window)
    filled = derived(Meaning.GAUGE_W, {"M": []}, site=site, window=window, more=[averages])
    assert filled.hourly_wh[0, :2].tolist() == [1001, 1001]  # 1000.5 and 1001.5, rounded at the hours
    assert filled.hours_measured.tolist() == [24]
    assert (window.end - window.start) == timedelta(hours=24)
