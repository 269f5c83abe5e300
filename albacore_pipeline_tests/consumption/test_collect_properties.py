"""What must hold for a collected day, whatever the meters say and however their readings arrive."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.consumption.store import stored_hash
from albacore_pipeline.data_centres.interface import FailedRead
from albacore_pipeline_tests.consumption.small_sites import (
    Points,
    SmallSite,
    collect,
    counts,
    forget,
    hourly,
    open_site,
    readings,
)

DAYS = st.sampled_from([date(2025, 10, 20), date(2025, 10, 26), date(2026, 3, 29)])  # 24, 25 and 23 hours in Oslo
INTERFACES = st.sampled_from(["norway", "finland", "ethiopia", "indonesia"])


@st.composite
def troubles(draw: st.DrawFn) -> random.Random:
    """The dice that gaps, resets, repetitions, steps of the clock and nonsense are thrown with."""
    return random.Random(draw(st.integers(0, 2**32)))


def troubled(points: Points, dice: random.Random) -> list[tuple[int, Any]]:
    """A machine's readings with troubles in them."""
    result: list[tuple[int, Any]] = []
    shift, taken = 0, 0.0
    for ms, value in points:
        if dice.random() < 0.1:
            continue  # a gap
        if dice.random() < 0.05:
            shift = dice.choice([0, -600_000, 90_000])  # the site's clock was put right, or wrong
        if dice.random() < 0.05:
            taken = value  # a counter begins anew
        result.append((ms + shift, value - taken if value >= taken else value))
        if dice.random() < 0.1:
            result.append(result[-1] if dice.random() < 0.5 else (result[-1][0], result[-1][1] * 1.1))
        if dice.random() < 0.03:
            result.append((ms + 1_000, dice.choice([-1.0, 1e12, 0.0])))
    return result


def content(engine: sa.Engine) -> tuple[str, str]:
    """The hash that was stored with the only collection, and the one that its rows have."""
    question = """
        select machine, machine_day.*, content_sha256 from albacore.machine_day
        join albacore.machine using (machine_id) join albacore.collection using (collection_id) order by machine
    """
    with engine.connect() as connection:
        rows = connection.execute(sa.text(question)).all()
    return rows[0].content_sha256, stored_hash(rows)


@pytest.fixture
def open_sites(engine: sa.Engine) -> sa.Engine:
    """A database that knows all sites."""
    for name in ("norway", "finland", "ethiopia", "indonesia"):
        open_site(engine, hourly(name))
    return engine


@settings(max_examples=25)
@given(name=INTERFACES, day=DAYS, dice=troubles())
def test_a_day_is_the_same_however_it_arrives(open_sites: sa.Engine, name: str, day: date, dice: random.Random) -> None:
    engine, site = open_sites, hourly(name)
    machines = {f"M-{number}": troubled(readings(site, day=day), dice) for number in range(4)}
    machines["M-0"] = readings(site, day=day)  # so that no batch is empty
    first = collect(engine, SmallSite(site, machines), day=day)
    assert first.stored.new
    assert (first.energy.hourly_wh >= 0).all()
    assert content(engine) == (first.energy.content_hash(),) * 2
    before = counts(engine)
    for batch in (1, 2, 3):
        names = dice.sample(list(machines), 4)
        shuffled = {machine: dice.sample(machines[machine], len(machines[machine])) for machine in names}
        smaller = replace(site, batch_machines=batch)
        try:
            again = collect(engine, SmallSite(smaller, shuffled), day=day)
        except FailedRead as error:
            assert batch == 1
            assert "none for any" in str(error)  # a machine alone in its batch had no reading left
            continue
        assert again.energy.content_hash() == first.energy.content_hash()
        assert again.energy.refused == first.energy.refused
        assert (again.stored.new, again.stored.revision) == (False, 1)
    assert counts(engine) == before
    forget(engine)
