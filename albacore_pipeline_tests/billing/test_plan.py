"""A plan shows what a load would change in money, names the document that follows, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.plan import plan_load
from albacore_pipeline.database import connect
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Price, TariffBand
from albacore_pipeline.registry.store import load
from albacore_pipeline_tests.billing.checks import freeze_ready
from albacore_pipeline_tests.registry.test_damage import dump
from albacore_pipeline_tests.small_world import (
    NOW,
    assignment,
    collect_month,
    customer,
    open_sites,
    rate,
    tariff,
)

NAMES = ["NO-0001", "NO-0002", "NO-0003", "NO-0004"]
MONTHS = ("2025-10", "2025-11")


def registry(sha256: str = "", **changed: Any) -> Registry:
    """Four customers with a machine each: by a flat price, by tiers, by hours and by an index."""
    parts: dict[str, Any] = {
        "customers": [customer(name) for name in ("acme", "bolt", "cove", "dune")],
        "assignments": [
            assignment(machine, who, "2025-10-01")
            for machine, who in zip(NAMES, ("acme", "bolt", "cove", "dune"), strict=True)
        ],
        "tariffs": [
            tariff("flat", "0.5"),
            tariff("tier", "0.5", customer="bolt", kind="tiered"),
            tariff("night", "0.5", customer="cove", kind="time_of_use"),
            tariff("spot", "0.1", customer="dune", kind="indexed", index="NO2"),
        ],
        "bands": [
            TariffBand(tariff="tier", from_kwh="20", unit_price="0.4"),
            TariffBand(tariff="night", weekdays="Sat Sun", unit_price="0.3"),
        ],
        "prices": prices("0.4"),
        "machines": [],
        "policies": {"default": [Policy()]},
    }
    return Registry(content_sha256=sha256 or repr(changed), **parts | changed)


def prices(price: str) -> list[Price]:
    """October and November, the first hours of each day in UTC (the machines stand still in the others, or nearly)."""
    return [
        Price(index="NO2", hour_start=f"2025-{month}-{day:02d}T{hour:02d}:00Z", currency="NOK", price_per_kwh=price)
        for month, days in (("09", [30]), ("10", range(1, 32)), ("11", range(1, 31)))
        for day in days
        for hour in range(24)
    ]


def _two_months(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        open_sites(connection, "norway")
        load(connection, registry("first"), actor="test", reason="test", now=NOW)
        for month in MONTHS:
            collect_month(connection, month=month, machines=NAMES)
            rate(connection, month)
            if month == "2025-10":
                freeze_ready(connection, documented=True)


@pytest.fixture(scope="module")
def template(make_template: Callable[[Callable[[sa.Engine], None]], str]) -> str:
    """A database in which each machine used a kWh a day; October has its documents, November is rated only."""
    return make_template(_two_months)


@pytest.fixture
def engine(make_database: Callable[[str], str], template: str) -> sa.Engine:
    """A copy of the two months."""
    return connect(make_database(template))


def plan(engine: sa.Engine, **changed: Any) -> list[str]:
    return list(plan_load(engine, registry(**changed), now=NOW))


def test_what_is_in_force_is_nothing_new(engine: sa.Engine) -> None:
    assert list(plan_load(engine, registry("first"), now=NOW)) == ["nothing new: this is version 1, which is in force"]


def test_a_backdated_price_names_the_documents_that_follow(engine: sa.Engine) -> None:
    tariffs = [*registry().tariffs, tariff("acme", "0.4", "2025-10-22", customer="acme")]
    assert plan(engine, tariffs=tariffs) == [
        "tariff: 1 rows added, 0 removed",
        "2 of the months that were rated have days that change",
        "2025-10 acme: +0.000 kWh, -1.0000 NOK, a credit note follows",
        "2025-11 acme: +0.000 kWh, -3.0000 NOK, no document yet",
        "NOK in all: +0.000 kWh, -4.0000 NOK; 1 x a credit note follows, 1 x no document yet",
        "2 customer-months would change, 0 of them blocked; nothing was changed",
    ]


def test_a_handover_moves_energy_and_money(engine: sa.Engine) -> None:
    moved = [
        assignment("NO-0001", "acme", "2025-10-01", "2025-10-20"), assignment("NO-0001", "bolt", "2025-10-21"),
        *registry().assignments[1:],
    ]  # fmt: skip
    said = plan(engine, assignments=moved)
    assert said[2:4] == [
        "2025-10 acme: -11.000 kWh, -5.5000 NOK, a credit note follows",
        "2025-10 bolt: +11.000 kWh, +4.4000 NOK, a supplement follows",
    ]
    assert said[-2].startswith("NOK in all: +0.000 kWh, ")


def test_what_ends_in_the_future_touches_no_rated_month(engine: sa.Engine) -> None:
    ended = [assignment("NO-0001", "acme", "2025-10-01", "2025-12-31"), *registry().assignments[1:]]
    assert plan(engine, assignments=ended) == [
        "assignment: 1 rows added, 1 removed",
        "0 of the months that were rated have days that change",
        "0 customer-months would change, 0 of them blocked; nothing was changed",
    ]


def test_a_month_that_can_not_be_rated_any_more_is_blocked(engine: sa.Engine) -> None:
    tariffs = [tariff("flat", "0.5", to_day="2025-11-15"), *registry().tariffs[1:]]
    said = plan(engine, tariffs=tariffs)
    assert said[1:3] == [
        "1 of the months that were rated have days that change",
        "2025-11 acme: blocked: no tariff at norway from 2025-11-16 on: add a row to tariffs.csv",
    ]
    assert said[-1] == "1 customer-months would change, 1 of them blocked; nothing was changed"
    assert len(said) == 4  # the others' records are cut on another day and come to the same


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a tier": (
        {"bands": [TariffBand(tariff="tier", from_kwh="30", unit_price="0.4"), registry().bands[1]]},
        ["2025-10 bolt: +0.000 kWh, +1.0000 NOK, a supplement follows",
         "2025-11 bolt: +0.000 kWh, +1.0000 NOK, no document yet"],
    ),
    "a band of hours": (
        {"bands": [registry().bands[0], TariffBand(tariff="night", weekdays="Sun", unit_price="0.3")]},
        ["2025-10 cove: +0.000 kWh, +0.8000 NOK, a supplement follows",
         "2025-11 cove: +0.000 kWh, +1.0000 NOK, no document yet"],
    ),
    "a series": (
        {"prices": prices("0.3")},
        ["2025-10 dune: +0.000 kWh, -3.1000 NOK, a credit note follows",
         "2025-11 dune: +0.000 kWh, -3.0000 NOK, no document yet"],
    ),
    "a customer's address": ({"customers": [customer("acme", address="9 Street"), *registry().customers[1:]]}, []),
    "a customer's policy": (
        {"customers": [customer("acme", policy="other"), *registry().customers[1:]],
         "policies": {"default": [Policy()], "other": [Policy()]}},
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_file_is_felt_in_the_months_that_it_touches(engine: sa.Engine, change: str) -> None:
    changed, lines = CHANGES[change]
    assert [text for text in plan(engine, **changed) if text[:3] == "202"] == lines


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_leaves_no_trace_and_holds_no_lock(engine: sa.Engine, change: str) -> None:
    with engine.connect() as connection:
        before = dump(connection)
    locks = sa.text(
        "select count(*) from pg_locks join pg_stat_activity activity using (pid) where pid <> pg_backend_pid()"
        " and datname = current_database() and backend_type = 'client backend'"
    )
    for _ in plan_load(engine, registry(**CHANGES[change][0]), now=NOW):
        with engine.connect() as connection:  # whoever reads the lines may take his time
            assert connection.execute(locks).scalar_one() == 0
    with engine.connect() as connection:
        assert dump(connection) == before


def test_what_was_planned_is_what_the_load_does(engine: sa.Engine) -> None:
    changed = registry(prices=prices("0.3"))
    planned = [text for text in plan_load(engine, changed, now=NOW) if text.startswith("2025-10 dune")]
    with engine.begin() as connection:
        load(connection, changed, actor="test", reason="test", now=NOW)
        before = queries.current_sums(connection, month=date(2025, 10, 1))
        verdict = rate(connection, "2025-10")["dune"]
    (known,) = [row for row in before if row.customer == "dune"]
    assert planned == [
        f"2025-10 dune: {verdict.kwh - known.kwh:+,.3f} kWh, {verdict.amount - known.amount:+,.4f} NOK,"
        " a credit note follows"
    ]
