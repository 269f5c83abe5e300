"""Registry versions: a load is whole, says what it changed, and keeps what was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.database import sync_sites
from albacore_pipeline.registry.files import read_registry
from albacore_pipeline.registry.store import Loaded, load, policy_in_force
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.registry.folders import FILES, KINDS, kinds, line, write


@pytest.fixture
def engine(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        sync_sites(connection, sites=[(site, site.starts_on) for site in SITES.values()])
    return engine


def load_files(engine: sa.Engine, folder: Path, clock: FrozenClock, **changed: str | None) -> Loaded:
    registry = read_registry(write(folder, **changed))
    with engine.begin() as connection:
        return load(connection, registry, actor="anna", reason="test", now=clock.now())


def changed(loaded: Loaded) -> dict[str, tuple[int, int]]:
    """The tables in which rows came or went."""
    return {table: counts for table, counts in loaded.changes.items() if counts != (0, 0)}


def rows(engine: sa.Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_a_first_load_is_version_one(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    loaded = load_files(engine, tmp_path, clock)
    assert loaded.version == 1
    assert changed(loaded) == {
        "customer": (2, 0), "assignment": (3, 0), "tariff": (3, 0), "machine_rating": (1, 0), "policy": (1, 0),
    }  # fmt: skip
    assert (loaded.unseen, loaded.unseen_count) == (("FI-0001 at finland", "NO-0001 at norway"), 2)
    assert rows(engine, "select machine, customer, from_day, to_day, state from report.assignments order by 1, 3") == [
        ("FI-0001", "bolt", date(2025, 10, 1), None, "repair"),
        ("NO-0001", "acme", date(2025, 10, 1), date(2025, 10, 14), "billable"),
        ("NO-0001", "bolt", date(2025, 10, 15), None, "billable"),
    ]


def test_the_same_content_makes_no_version(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    load_files(engine, tmp_path, clock)
    assert load_files(engine, tmp_path, clock) == Loaded(version=1, changes={})
    assert rows(engine, "select count(*) from albacore.registry_version") == [(1,)]


def test_a_changed_load_ends_and_begins_just_what_changed(
    engine: sa.Engine, tmp_path: Path, clock: FrozenClock
) -> None:
    load_files(engine, tmp_path, clock)
    before = rows(engine, "select tariff_id from albacore.tariff where tariff = 'eur'")
    loaded = load_files(engine, tmp_path, clock, tariffs=line("tariffs.csv", 2, "0.70", "0.75"))
    assert loaded.version == 2
    assert changed(loaded) == {"tariff": (1, 1)}
    assert rows(engine, "select tariff_id from albacore.tariff where tariff = 'eur'") == before
    assert rows(
        engine,
        "select unit_price, since_version, until_version from albacore.tariff where tariff = 'nok' order by tariff_id",
    ) == [(Decimal("0.70"), 1, 2), (Decimal("0.75"), 2, None)]


def test_what_is_left_out_ends_and_may_come_back(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    shorter = "".join(FILES["assignments.csv"].splitlines(keepends=True)[:-1])
    load_files(engine, tmp_path, clock)
    assert load_files(engine, tmp_path, clock, assignments=shorter).changes["assignment"] == (0, 1)
    again = load_files(engine, tmp_path, clock)
    assert (again.version, changed(again)) == (3, {"assignment": (1, 0)})


def test_a_machine_may_be_handed_over_in_one_load(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    load_files(engine, tmp_path, clock)
    moved = line("assignments.csv", 2, "2025-10-14", "2025-10-09").replace("2025-10-15", "2025-10-10")
    assert load_files(engine, tmp_path, clock, assignments=moved).changes["assignment"] == (2, 2)


def test_every_kind_of_file_is_stored(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    assert changed(load_files(engine, tmp_path, clock, **kinds())) == {
        "entity": (1, 0), "customer": (2, 0), "assignment": (3, 0), "tariff": (6, 0), "tariff_band": (4, 0),
        "price": (2, 0), "machine_rating": (1, 0), "policy": (1, 0),
    }  # fmt: skip
    assert rows(engine, "select tariff, index, unit_price from report.tariffs where index is not null order by 1") == [
        ("NO2", "NO2", Decimal(0)), ("spot", "NO2", Decimal("0.01")),
    ]  # fmt: skip
    assert rows(engine, "select * from report.tariff_bands order by tariff, from_hour, weekdays") == [
        ("night", 0, [6, 7], 0, 24, Decimal("0.5")),
        ("night", 0, [1, 2, 3, 4, 5], 7, 22, Decimal("0.9")),
        ("night", 0, [1, 2, 3, 4, 5], 22, 7, Decimal("0.6")),
        ("tier", 1000, [1, 2, 3, 4, 5, 6, 7], 0, 24, Decimal("0.08")),
    ]
    assert rows(engine, "select * from report.prices order by hour_start") == [
        ("NO2", utc("2025-09-30T22:00"), "EUR", Decimal("0.05")),
        ("NO2", utc("2025-09-30T23:00"), "EUR", Decimal("-0.012")),
    ]
    assert rows(engine, "select entity, address from albacore.entity") == [("ALB", "Kaigaten 1\n0150 Oslo")]


def test_a_changed_price_leaves_the_others_alone(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    load_files(engine, tmp_path, clock, **kinds())
    dearer = line("prices.csv", 2, "0.05", "0.06", files=KINDS)
    bands = line("tariff_bands.csv", 4, "22,7", "22,6", files=KINDS) + "night,,Mon-Fri,6,7,0.7\n"
    again = load_files(engine, tmp_path, clock, **kinds() | {"prices": dearer, "tariff_bands": bands})
    assert changed(again) == {"price": (1, 1), "tariff_band": (2, 1)}
    assert rows(engine, "select count(*), count(*) filter (where until_version is null) from albacore.price") == [
        (3, 2)
    ]


def test_a_load_that_changes_a_little_writes_a_little(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    """The rows that stay are the very same ones, untouched: not even a new version of the tuple."""
    written = "select xmin::text, ctid::text, assignment_id from albacore.assignment where customer = 'bolt' order by 3"
    load_files(engine, tmp_path, clock)
    before = rows(engine, written)
    load_files(engine, tmp_path, clock, assignments=line("assignments.csv", 2, ",\n", ",free\n"))
    assert rows(engine, written) == before


def test_a_load_that_fails_changes_nothing(engine: sa.Engine, tmp_path: Path, clock: FrozenClock) -> None:
    load_files(engine, tmp_path, clock)
    tables = (
        "registry_version",
        "customer",
        "assignment",
        "tariff",
        "machine",
        "machine_rating",
        "policy",
        "audit_event",
    )
    contents = [f"select row_of::text from albacore.{table} row_of order by 1" for table in tables]
    before = [rows(engine, content) for content in contents]
    registry = read_registry(write(tmp_path, customers=line("customers.csv", 2, "1 Street", "9 Street")))
    twice = [*registry.assignments, registry.assignments[0].model_copy(update={"customer": "bolt"})]
    with pytest.raises(sa.exc.IntegrityError, match="exclusion"), engine.begin() as connection:
        load(connection, replace(registry, assignments=twice), actor="anna", reason="test", now=clock.now())
    assert [rows(engine, content) for content in contents] == before


def test_the_database_itself_refuses_two_customers_on_one_day(
    engine: sa.Engine, tmp_path: Path, clock: FrozenClock
) -> None:
    load_files(engine, tmp_path, clock)
    overlap = sa.text(
        "insert into albacore.assignment (machine_id, customer, from_day, to_day, state, since_version)"
        " select machine_id, 'acme', date '2025-10-14', date '2025-10-15', 'free', 1 from albacore.machine"
        " where machine = 'NO-0001'"
    )
    with pytest.raises(sa.exc.IntegrityError, match="exclusion"), engine.begin() as connection:
        connection.execute(overlap)


def test_a_policy_holds_from_its_day_on_and_the_first_one_before(
    engine: sa.Engine, tmp_path: Path, clock: FrozenClock
) -> None:
    text = "default:\n- {from_day: 2025-06-01, customers_per_day: 1}\n- {from_day: 2025-09-01, customers_per_day: 2}\n"
    load_files(engine, tmp_path, clock, policies=text)
    with engine.connect() as connection:
        found = [
            policy_in_force(connection, name="default", now=utc(day)).customers_per_day
            for day in ("2025-01-15", "2025-05-31", "2025-06-01", "2025-08-31", "2025-09-01", "2026-01-01")
        ]
    assert found == [1, 1, 1, 1, 2, 2]
