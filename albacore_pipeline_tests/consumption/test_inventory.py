"""What a site's inventories say otherwise than before, and where the registry and the site don't agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.consumption.checks import inventory_check, inventory_metadata, inventory_warnings
from albacore_pipeline.consumption.collect import read_inventory
from albacore_pipeline.consumption.inventory import Inventory, store_inventory, store_listing
from albacore_pipeline.data_centres.interface import Machine
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.consumption.small_sites import (
    DAY,
    NOW,
    SmallSite,
    collect,
    counts,
    hourly,
    open_site,
    readings,
)
from albacore_pipeline_tests.small_world import ask, assignment, customer, open_sites, register, tariff

NORWAY = SITES["norway"]
A, B, C = (Machine(name=f"NO-000{n}", serial=f"S{n}", model="HX", rated_watts=3000) for n in (1, 2, 3))
CHANGES = """
select machine, day, field, old_value, new_value
from albacore.inventory_change join albacore.machine using (machine_id) order by machine, field
"""


@pytest.fixture
def norway(connection: sa.Connection) -> sa.Connection:
    open_sites(connection, "norway")
    return connection


def read(connection: sa.Connection, *machines: Machine, day: date = DAY) -> Inventory:
    """The site's own inventory of a day."""
    now = utc(f"{day}T04:30")
    changes = store_inventory(connection, site=NORWAY, machines=machines, day=day, now=now)
    changes += store_listing(connection, site=NORWAY, machines=machines, day=day, now=now)
    return Inventory(machines=list(machines), changes=changes)


def again(connection: sa.Connection, *machines: Machine, day: date) -> list[Any]:
    """The inventory that comes with a site-day."""
    return store_inventory(connection, site=NORWAY, machines=machines, day=day, now=NOW)


def test_the_first_inventory_tells_of_no_change(norway: sa.Connection) -> None:
    first = read(norway, A, B)
    assert first.changes == []
    assert inventory_check(first).passed
    assert ask(norway, "select machine, first_seen, last_seen, listed from albacore.machine order by 1") == [
        ("NO-0001", DAY, DAY, True),
        ("NO-0002", DAY, DAY, True),
    ]


def test_machines_that_appear_and_vanish_are_told_once_and_warned_of(norway: sa.Connection) -> None:
    read(norway, A, B)
    next_day = date(2025, 10, 21)
    changed = read(norway, A, C, day=next_day)
    assert (changed.appeared, changed.vanished) == (["NO-0003"], ["NO-0002"])
    verdict = inventory_check(changed)
    assert (verdict.passed, verdict.severity.value) == (False, "WARN")
    assert inventory_warnings(changed) == ["1 appeared: NO-0003", "1 vanished: NO-0002"]
    assert inventory_metadata(changed)["vanished"] == ["NO-0002"]
    assert ask(norway, CHANGES) == [
        ("NO-0002", next_day, "listed", "true", "false"),
        ("NO-0003", next_day, "listed", "false", "true"),
    ]
    assert ask(norway, "select first_seen, last_seen from albacore.machine where machine = 'NO-0002'") == [(DAY, DAY)]
    assert inventory_check(read(norway, A, C, day=date(2025, 10, 22))).passed


def test_a_new_serial_model_or_rating_is_kept_with_what_was_before(norway: sa.Connection) -> None:
    read(norway, A, replace(B, model=None))
    day = date(2025, 10, 21)
    other = read(norway, replace(A, serial="S9", model="HY", rated_watts=3500), B, day=day)
    assert ask(norway, CHANGES) == [
        ("NO-0001", day, "model", "HX", "HY"),
        ("NO-0001", day, "rated_watts", "3000", "3500"),
        ("NO-0001", day, "serial", "S1", "S9"),
        ("NO-0002", day, "model", None, "HX"),
    ]
    assert inventory_warnings(other) == [
        "4 changed: NO-0001 model from HX to HY, NO-0001 rated_watts from 3000 to 3500,"
        " NO-0001 serial from S1 to S9, NO-0002 model from None to HX"
    ]
    assert inventory_check(other).passed  # the same machines are there


def test_what_the_site_no_longer_says_is_kept_and_is_no_change(norway: sa.Connection) -> None:
    read(norway, A)
    assert read(norway, Machine(name="NO-0001"), day=date(2025, 10, 21)).changes == []
    assert ask(norway, "select serial, model, rated_watts from albacore.machine") == [("S1", "HX", 3000)]


def test_a_past_day_that_is_read_again_changes_nothing(norway: sa.Connection) -> None:
    read(norway, A, B, day=date(2025, 10, 31))
    before = ask(norway, "select machine, serial, listed, last_seen from albacore.machine order by 1")
    assert again(norway, replace(A, serial="OLD"), C, day=DAY) == []
    after = ask(norway, "select machine, serial, listed, last_seen from albacore.machine order by 1")
    assert after == [*before, ("NO-0003", "S3", False, DAY)]
    assert read(norway, A, B, day=date(2025, 11, 1)).changes == []


def test_a_machine_that_only_the_registry_knew_is_no_changed_one(norway: sa.Connection) -> None:
    norway.execute(sa.text("insert into albacore.machine (site, machine) values ('norway', 'NO-0001')"))
    assert read(norway, A).changes == []


def test_texts_of_the_site_are_no_markup(norway: sa.Connection) -> None:
    read(norway, A)
    shown = inventory_metadata(read(norway, replace(A, serial="<b>|`x`\n"), day=date(2025, 10, 21)))
    assert shown["changed"].md_str.splitlines()[2:] == [r"| NO-0001 | serial | S1 | \<b\>\|\`x\` |"]


def test_texts_of_the_site_stay_on_one_line_of_the_log(norway: sa.Connection) -> None:
    read(norway, A)
    (line,) = inventory_warnings(read(norway, replace(A, serial="S2\nERROR \x1b[31m all lost"), day=date(2025, 10, 21)))
    assert line.isprintable()


def test_long_lists_are_cut_and_say_so(norway: sa.Connection) -> None:
    read(norway, A)
    many = [Machine(name=f"NO-{n:04d}") for n in range(1, 31)]
    shown = inventory_metadata(read(norway, *many, day=date(2025, 10, 21)))["appeared"]
    assert (len(shown), shown[-1]) == (21, "and 9 more")


def test_a_site_that_lists_none_is_warned_of_and_stores_nothing(engine: sa.Engine) -> None:
    site = hourly("norway")
    open_site(engine, site)
    small = SmallSite(site, {"NO-0001": readings(site)})
    clock = FrozenClock(NOW)
    read_inventory(site=site, source=small.source(), engine=engine, clock=clock)
    small.present = False
    found = read_inventory(site=site, source=small.source(), engine=engine, clock=clock)
    assert found.machines == []
    assert not inventory_check(found).passed
    assert inventory_warnings(found) == ["the site lists no machine now; what it listed before is left as it is"]
    with engine.connect() as connection:
        assert ask(connection, "select machine, listed from albacore.machine") == [("NO-0001", True)]
    assert collect(engine, small).stored.new  # a past day, of which the site still knows


def test_what_site_and_registry_do_not_agree_on_is_shown_with_the_day(engine: sa.Engine) -> None:
    site = hourly("norway")
    open_site(engine, site)
    with engine.begin() as connection:
        register(
            connection,
            customers=[customer("c1")],
            assignments=[
                assignment("NO-0001", "c1", "2025-01-01"),
                assignment("NO-0404", "c1", "2025-01-01"),
                assignment("NO-0405", "c1", "2025-01-01", "2025-10-19"),
                assignment("NO-0003", "c1", "2025-01-01", state="free"),
            ],
            tariffs=[tariff("standard", "1.00")],
        )
    idle = [(ms, 5000.0) for ms, _ in readings(site)]
    machines = {name: readings(site) for name in ("NO-0001", "NO-0002", "NO-0003")} | {"NO-0004": idle}
    odd = collect(engine, SmallSite(site, machines)).unaccounted
    assert odd.unknown == ["NO-0404"]
    assert odd.unassigned == {"NO-0002": 24 * 1200}
    assert counts(engine)["inventory_change"] == 0
