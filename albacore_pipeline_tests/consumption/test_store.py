"""Site-days in the database: what is copied is what was derived, and which revision counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.consumption.energy_day import EnergyDay
from albacore_pipeline.consumption.inventory import ratings, store_inventory
from albacore_pipeline.consumption.store import due_days, store_day, stored_hash
from albacore_pipeline.data_centres.interface import Machine, Refused
from albacore_pipeline.registry.rows import MachineRating
from albacore_pipeline.settings import Settings, SettingsError
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.small_world import Day, ask, assignment, collect, customer, open_sites, register, tariff

NORWAY, NOW = SITES["norway"], utc("2025-11-01T06:00")
DAY = date(2025, 10, 20)


@st.composite
def energy_days(draw: st.DrawFn) -> EnergyDay:
    """Any table that collection could come up with."""
    count, hours = draw(st.integers(1, 6)), draw(st.sampled_from([23, 24, 25]))
    cells = count * hours
    quality = np.array(draw(st.lists(st.integers(0, 3), min_size=cells, max_size=cells)), dtype=np.uint8)
    wh = np.array(draw(st.lists(st.integers(0, 2**31 - 1), min_size=cells, max_size=cells)), dtype=np.int32)
    wh[quality == 3] = 0
    flags = draw(st.lists(st.sampled_from([(), ("reset",), ("refused", "reset")]), min_size=count, max_size=count))
    return EnergyDay(
        machines=[f"NO-{number:04d}" for number in range(count)],
        hourly_wh=wh.reshape(count, hours),
        quality=quality.reshape(count, hours),
        flags=flags,
        refused=[Refused(machine="NO-0000", at=None, value="x" * 300, reason="a test")],
        readings=7,
    )


def store(connection: sa.Connection, energy: EnergyDay, **more: Any) -> Any:
    machines = [Machine(name=name) for name in energy.machines]
    store_inventory(connection, site=NORWAY, machines=machines, day=DAY, now=NOW)
    reading: dict[str, Any] = {"raw": [], "run_id": "test", "now": NOW, "accept_change": 0.05} | more
    return store_day(connection, site=NORWAY, day=DAY, energy=energy, **reading)


@settings(max_examples=60)
@given(energy=energy_days())
def test_what_is_copied_is_what_was_derived(scratch_engine: sa.Engine, energy: EnergyDay) -> None:
    with scratch_engine.connect() as connection:
        open_sites(connection, "norway")
        stored = store(connection, energy)
        question = """
            select machine, machine_day.* from albacore.machine_day join albacore.machine using (machine_id)
            where collection_id = :collection order by machine
        """
        rows = connection.execute(sa.text(question), {"collection": stored.collection_id}).all()
        assert stored_hash(rows) == energy.content_hash()
        assert [row.machine for row in rows] == energy.machines
        assert [row.hourly_wh for row in rows] == energy.hourly_wh.tolist()
        assert [row.hourly_quality for row in rows] == energy.quality_letters()
        known = energy.hours_measured + energy.hours_estimated
        wh = [wh if hours else None for wh, hours in zip(energy.wh.tolist(), known.tolist(), strict=True)]
        assert [row.wh for row in rows] == wh
        assert [row.quality for row in rows] == energy.day_quality()
        assert [row.flags for row in rows] == [",".join(flags) for flags in energy.flags]
        counts = [(row.hours_expected, row.hours_measured, row.hours_estimated, row.estimated_wh) for row in rows]
        columns = (energy.hours_measured, energy.hours_estimated, energy.estimated_wh)
        hours = energy.hourly_wh.shape[1]
        assert counts == [(hours, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
        assert ask(connection, "select machine, length(value), reason from albacore.quarantined_reading") == [
            ("NO-0000", 200, "a test")
        ]
        connection.rollback()


@pytest.fixture
def norway(connection: sa.Connection) -> sa.Connection:
    open_sites(connection, "norway")
    return connection


def revise(connection: sa.Connection, first: Any, then: Any, **more: Any) -> tuple[int, str, bool, str]:
    """Read a day, and read it again."""
    collect(connection, site="norway", day=DAY, machines={"NO-0001": 100_000, "NO-0002": first})
    stored = collect(connection, site="norway", day=DAY, machines={"NO-0001": 100_000, "NO-0002": then}, accept=False)
    return stored.revision, stored.state, stored.new, stored.reason


def test_the_same_again_stores_nothing(norway: sa.Connection) -> None:
    assert revise(norway, 100_000, 100_000) == (1, "accepted", False, "")
    assert ask(norway, "select count(*) from albacore.machine_day") == [(2,)]


def test_a_small_change_counts_at_once_and_a_large_one_waits(norway: sa.Connection) -> None:
    assert revise(norway, 100_000, 109_999) == (2, "accepted", True, "")


def test_a_change_of_the_share_itself_waits(norway: sa.Connection) -> None:
    reason = "what was known of the site-day would change by 5.0%"
    assert revise(norway, 100_000, 110_000) == (2, "waiting", True, reason)


def test_a_lost_hour_waits_and_a_gained_one_does_not(norway: sa.Connection) -> None:
    assert revise(norway, Day(wh=100_000), Day(wh=100_000, missing=1)) == (
        2,
        "waiting",
        True,
        "1 measured hours would be lost",
    )


def test_hours_that_were_missing_and_came_are_no_change(norway: sa.Connection) -> None:
    assert revise(norway, None, 500_000) == (2, "accepted", True, "")


@pytest.mark.parametrize(("share", "state"), [(0.2, "accepted"), (0.01, "waiting")])
def test_the_share_is_a_setting(norway: sa.Connection, share: float, state: str) -> None:
    wh = np.full((1, 24), 1000, dtype=np.int32)
    quality, more = np.zeros((1, 24), dtype=np.uint8), {"flags": [()], "refused": [], "readings": 24}
    day = EnergyDay(machines=["NO-0001"], hourly_wh=wh, quality=quality, **more)  # type: ignore[arg-type]
    store(norway, day)
    other = EnergyDay(machines=["NO-0001"], hourly_wh=wh + 100, quality=quality, **more)  # type: ignore[arg-type]
    assert store(norway, other, accept_change=share).state == state


@pytest.mark.parametrize(
    ("site", "read_at", "due"),
    [
        ("indonesia", "2025-10-20T16:59", True),  # a minute before the day after began there
        ("indonesia", "2025-10-20T17:00", False),
        ("ethiopia", "2025-10-27T20:59", True),  # whose data may be a week late
        ("ethiopia", "2025-10-27T21:00", False),
    ],
)
def test_a_day_is_due_again_until_it_was_read_when_nothing_more_could_arrive(
    connection: sa.Connection, site: str, read_at: str, due: bool
) -> None:
    open_sites(connection, site, starts_on=DAY)
    collect(connection, site=site, day=DAY, machines={"M-0001": 1}, at=utc(read_at))
    days = due_days(connection, sites=[SITES[site]], now=utc("2025-11-10T06:00"))[site]
    assert (DAY in days) is due


def test_settings_of_collection_are_typed() -> None:
    assert Settings.from_environment({}).accept_change == 0.05
    assert Settings.from_environment({}).archive_days is None
    given = Settings.from_environment({"ALBACORE_ACCEPT_CHANGE": "0.1", "ALBACORE_ARCHIVE_DAYS": "1825"})
    assert (given.accept_change, given.archive_days) == (0.1, 1825)
    for name, value in [("ACCEPT_CHANGE", "5%"), ("ACCEPT_CHANGE", "0"), ("ACCEPT_CHANGE", "5"), ("ARCHIVE_DAYS", "0")]:
        with pytest.raises(SettingsError, match=f"ALBACORE_{name}"):
            Settings.from_environment({f"ALBACORE_{name}": value})


def test_what_waits_is_moot_once_the_site_says_again_what_was_accepted(connection: sa.Connection) -> None:
    open_sites(connection, "norway")
    for wh, accept in ((100_000, True), (200_000, False), (100_000, False)):
        collect(connection, site="norway", day=DAY, machines={"NO-0001": wh}, accept=accept)

    assert ask(connection, "select revision, state from albacore.collection order by revision") == [
        (1, "accepted"), (2, "refused"),
    ]  # fmt: skip


def test_the_registry_knows_a_rating_better_than_the_site(connection: sa.Connection) -> None:
    open_sites(connection, "norway")
    register(
        connection,
        customers=[customer("acme")],
        assignments=[assignment("NO-0001", "acme", "2025-10-01")],
        tariffs=[tariff("flat", "1")],
        machines=[MachineRating(site="norway", machine="NO-0001", rated_watts=1_200, serial="", model="")],
    )

    assert ratings(connection, site=NORWAY) == {"NO-0001": 1_200}
