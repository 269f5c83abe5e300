"""What must hold for the energy of any day, whatever the meters say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.consumption.energy import EnergyDay, Quality, derive
from albacore_pipeline.data_centres.interface import Machine, Meaning, Samples
from albacore_pipeline.periods import Window, day_window
from albacore_pipeline.sites import Site
from albacore_pipeline_tests.consumption.days import RATED, SITE_OF, derived, level, samples, window_of

MEANINGS = st.sampled_from([Meaning.COUNTER_WH, Meaning.GAUGE_W, Meaning.INTERVAL_WH])
BOUND = 1.25 * RATED  # W
Series = list[tuple[str, list[tuple[float, float]]]]

stamps = st.one_of(
    st.integers(-40, 330).map(lambda n: 5.0 * n),
    st.floats(-200, 1650, allow_nan=False),
)
odd_values = st.sampled_from([float("nan"), float("inf"), -1.0, 1e300, 0.0, 2.0**32, 2.0**53])


@st.composite
def wild_series(draw: st.DrawFn) -> Series:
    """Readings of up to three machines without any sense, over a course that has some."""
    series: Series = []
    for _ in range(draw(st.integers(1, 4))):
        points: list[tuple[float, float]] = []
        if draw(st.booleans()):
            base, rate = draw(st.floats(0, 2.0**32)), draw(st.floats(0, BOUND / 60))
            points = [
                (5.0 * n, base + 5.0 * n * rate) for n in range(draw(st.integers(0, 40)), 300) if base + n * rate > 0
            ]
        values = st.one_of(st.floats(0, 400), st.floats(0, 4000), st.floats(0, 1e10), odd_values)
        points += draw(st.lists(st.tuples(stamps, values), max_size=25))
        series.append((draw(st.sampled_from("ABC")), points))
    return series


def shuffled(batch: Samples, seed: int) -> Samples:
    """The same readings with series and readings in another order."""
    dice = np.random.default_rng(seed)
    order, rename = dice.permutation(len(batch.value)), dice.permutation(len(batch.machines))
    place = np.argsort(rename)
    return replace(
        batch,
        machines=[batch.machines[i] for i in rename],
        series=place[batch.series[order]].astype(np.int32),
        at_ms=batch.at_ms[order],
        value=batch.value[order],
    )


def sound(day: EnergyDay) -> None:
    """What holds for every result."""
    missing = day.quality == Quality.MISSING
    assert (day.hourly_wh >= 0).all()
    assert (day.hourly_wh[missing] == 0).all()
    assert day.quality.max(initial=0) <= Quality.MISSING
    assert day.hourly_wh.sum(axis=1).tolist() == day.wh.tolist()
    counted = day.hours_measured + day.hours_estimated + missing.sum(axis=1)
    assert counted.tolist() == [day.hourly_wh.shape[1]] * len(day.machines)


def result(meaning: Meaning, batches: Sequence[Samples]) -> EnergyDay:
    site = SITE_OF[meaning]
    machines = [Machine(name=name, rated_watts=RATED) for name in "CAB"]
    return derive(batches=batches, machines=machines, window=window_of(site), site=site)


@settings(max_examples=150, deadline=None)
@given(meaning=MEANINGS, series=wild_series(), seed=st.integers(0, 2**32))
def test_neither_the_order_of_readings_nor_that_of_series_or_batches_matters(
    meaning: Meaning, series: Series, seed: int
) -> None:
    averages = samples(
        Meaning.AVERAGE_W, [("A", [(60.0 * n, 800.0) for n in range(24)])], window=window_of(SITE_OF[meaning])
    )
    whole = samples(meaning, series)
    once = result(meaning, [whole, averages])
    apart = [samples(meaning, [one for one in series if one[0] == name]) for name in "ABC"]
    again = [shuffled(batch, seed) for batch in [averages, *apart]]
    random.Random(seed).shuffle(again)
    other = result(meaning, again)
    assert other.content_hash() == once.content_hash()
    assert other.refused == once.refused
    assert other.flags == once.flags
    assert other.readings == once.readings
    sound(once)


@settings(max_examples=150, deadline=None)
@given(meaning=MEANINGS, series=wild_series())
def test_nothing_is_counted_that_the_machine_could_not_draw(meaning: Meaning, series: Series) -> None:
    day = result(meaning, [samples(meaning, series)])
    feeds = np.array([sum(1 for name, _ in series if name == machine) for machine in day.machines])
    jitter = 1.12 if meaning is Meaning.INTERVAL_WH else 1.0  # stamps may stand a tenth of a step closer
    assert (day.hourly_wh <= feeds[:, None] * (BOUND * jitter + 1)).all()


@st.composite
def counter_course(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Two days of a counter and their margins: gaps of up to an hour, resets, rollovers, repeated readings."""
    at, value = -185.0, draw(st.one_of(st.floats(0, 1e9), st.floats(2.0**32 - 100_000, 2.0**32)))
    dice = random.Random(draw(st.integers(0, 2**32)))
    resets, gaps = draw(st.floats(0, 0.02)), draw(st.floats(0, 0.1))
    points = []
    while at < 3 * 1440 + 400:
        points.append((round(at, 3), value))
        if dice.random() < 0.02:
            points.append(points[-1])
        step = dice.uniform(4, 6) if dice.random() > gaps else dice.uniform(6, 60)
        at += step
        value += dice.uniform(0, 0.9) * BOUND * step / 60
        if value > 2.0**32:
            value -= 2.0**32
        elif dice.random() < resets:
            value = dice.choice([0.0, dice.uniform(0, 300 * step / 5), dice.uniform(0, 1e6)])
    return points


def on(
    window: Window,
    points: list[tuple[float, float]],
    whole: Window,
    site: Site,
    meaning: Meaning = Meaning.COUNTER_WH,
) -> EnergyDay:
    shift = (window.start - whole.start) / timedelta(minutes=1)
    moved = [(at - shift, value) for at, value in points]
    return derived(meaning, {"M": moved}, site=site, window=window)


@settings(max_examples=60, deadline=None)
@given(points=counter_course(), first=st.sampled_from([date(2025, 10, 25), date(2025, 10, 26), date(2026, 3, 28)]))
def test_days_of_a_counter_sum_to_the_watt_hour(points: list[tuple[float, float]], first: date) -> None:
    site = SITE_OF[Meaning.COUNTER_WH]
    days = [day_window(day=first + timedelta(days=n), timezone=site.timezone) for n in range(2)]
    whole = Window(days[0].start, days[1].end)
    together = on(whole, points, whole, site)
    apart = [on(window, points, whole, site) for window in days]
    assert [wh for day in apart for wh in day.hourly_wh[0].tolist()] == together.hourly_wh[0].tolist()
    assert "".join(day.quality_letters()[0] for day in apart) == together.quality_letters()[0]
    assert sum(int(day.wh[0]) for day in apart) == int(together.wh[0])
    sound(together)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    meaning=st.sampled_from([Meaning.GAUGE_W, Meaning.INTERVAL_WH]),
    first=st.sampled_from([date(2025, 10, 25), date(2025, 10, 26), date(2026, 3, 28)]),
)
def test_neighbouring_days_of_watts_and_intervals_share_their_midnight(
    seed: int, meaning: Meaning, first: date
) -> None:
    site, dice = SITE_OF[meaning], random.Random(seed)
    most = BOUND if meaning is Meaning.GAUGE_W else BOUND * site.step / timedelta(hours=1)
    minutes = site.step / timedelta(minutes=1)
    points = [(n * minutes, dice.uniform(0, 0.9) * most) for n in range(-60, 900) if dice.random() > 0.02]
    days = [day_window(day=first + timedelta(days=n), timezone=site.timezone) for n in range(2)]
    whole = Window(days[0].start, days[1].end)
    together = on(whole, points, whole, site, meaning)
    apart = [on(window, points, whole, site, meaning) for window in days]
    assert "".join(day.quality_letters()[0] for day in apart) == together.quality_letters()[0]
    assert abs(sum(int(day.wh[0]) for day in apart) - int(together.wh[0])) <= 1  # each day is rounded by itself
    for day in [*apart, together]:
        sound(day)


@settings(max_examples=60, deadline=None)
@given(
    watts=st.floats(0, BOUND),
    step=st.floats(1, 7),
    phase=st.floats(0, 5),
    meaning=st.sampled_from([Meaning.GAUGE_W, Meaning.COUNTER_WH]),
)
def test_every_run_of_hours_is_within_a_watt_hour_of_the_truth(
    watts: float, step: float, phase: float, meaning: Meaning
) -> None:
    points = [(at + phase, value) for at, value in level(watts, step=step)]
    if meaning is Meaning.COUNTER_WH:
        points = [(at, 1e6 + watts * at / 60 * 0.999999) for at, _ in points]
    day = derived(meaning, {"M": points})
    assert day.day_quality() == ["measured"]
    total = np.concatenate([[0], np.cumsum(day.hourly_wh[0])])
    error = total - watts * np.arange(25)
    assert (np.abs(error[:, None] - error[None, :]) < 1.2).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(stamps, st.floats(0, 500)), max_size=60))
def test_an_interval_s_energy_is_never_invented(points: list[tuple[float, float]]) -> None:
    day = derived(Meaning.INTERVAL_WH, {"M": points})
    given_wh = sum(min(value for at, value in points if at == stamp) for stamp in {at for at, _ in points})
    assert int(day.wh[0]) <= given_wh + 24
