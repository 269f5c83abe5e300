from __future__ import annotations

from itertools import permutations

import pytest

from albacore_pipeline.consumption.energy import EnergyDay
from albacore_pipeline.data_centres.interface import Meaning
from albacore_pipeline_tests.consumption.days import Points, changed, derived, letters, level, without


def intervals(points: Points, **more: object) -> EnergyDay:
    return derived(Meaning.INTERVAL_WH, {"ID-0001": points}, **more)  # type: ignore[arg-type]


def quarters(value: float, first: float = -180, last: float = 1620) -> list[tuple[float, float]]:
    return list(level(value, first=first, last=last, step=15))


def test_intervals_that_end_on_the_hour_belong_to_it_whole() -> None:
    day = intervals(changed(quarters(500), {60: 600.0, 75: 700.0, 0: 900.0, 1440: 100.0, 1455: 900.0}))
    assert day.hourly_wh[0].tolist() == [2100, 2200, *[2000] * 21, 1600]
    assert letters(day) == "m" * 24


def test_an_interval_across_the_hour_is_cut_in_proportion() -> None:
    points = [(at + 5, 600.0 if at == 60 else 500.0) for at, _ in quarters(0)]
    assert intervals(points).hourly_wh[0, :3].tolist() == [2067, 2033, 2000]


def test_a_stamp_that_is_a_little_off_makes_no_hole() -> None:
    points = [(at + (0.5 if at % 60 else -0.5), 500.0) for at, _ in quarters(0)]
    day = intervals(points)
    assert letters(day) == "m" * 24
    assert abs(int(day.wh[0]) - 48_000) <= 500 / 15  # half a minute at each end of the day


@pytest.mark.parametrize(
    ("lost", "quality"),
    [
        ((600, 630), "m" * 10 + "x" + "m" * 13),
        ((585, 615), "m" * 9 + "x" + "m" * 14),
        ((585, 630), "m" * 9 + "xx" + "m" * 13),
    ],
)
def test_an_hour_that_is_not_wholly_covered_is_missing(lost: tuple[int, int], quality: str) -> None:
    day = intervals(without(quarters(500), *lost))
    assert letters(day) == quality
    assert day.hourly_wh[0].tolist() == [0 if letter == "x" else 2000 for letter in quality]


def test_the_edges_of_what_is_known() -> None:
    assert letters(intervals(quarters(500, first=15, last=1440))) == "m" * 24
    assert letters(intervals(quarters(500, first=30, last=1425))) == "x" + "m" * 22 + "x"


def test_of_two_values_for_one_stamp_the_smaller_counts_in_any_order() -> None:
    base = quarters(500)
    results = set()
    for order in permutations([(600.0, 500.0), (600.0, 450.0), (600.0, 480.0)]):
        day = intervals([*[point for point in base if point[0] != 600], *order])
        results.add((day.content_hash(), tuple(refused.value for refused in day.refused)))
        assert day.flags == [("conflict",)]
        assert day.hourly_wh[0, 9] == 1950
    assert len(results) == 1


def test_no_stretch_of_time_is_counted_twice() -> None:
    day = intervals([*quarters(500), (607.0, 500.0)])
    assert day.flags == [("conflict",)]
    assert int(day.hourly_wh[0, 10]) == 2000
    assert int(day.wh[0]) == 48_000


def test_more_than_the_machine_can_draw_is_refused() -> None:
    day = intervals(changed(quarters(500), {600: 937.5, 615: 938.0}))
    assert [refused.value for refused in day.refused] == ["938.0"]
    assert letters(day) == "m" * 10 + "x" + "m" * 13
    assert int(day.hourly_wh[0, 9]) == 2438  # 3 x 500 + 937.5
