"""Rating against the reference: small worlds of every kind, twice, with documents in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.billing import queries
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Tariff
from albacore_pipeline_tests.billing.checks import breaks, freeze_ready
from albacore_pipeline_tests.billing.reference import Bill, Blocked, Books
from albacore_pipeline_tests.small_world import (
    NOW,
    Day,
    Energy,
    ask,
    assignment,
    collect,
    customer,
    open_sites,
    rate,
    register,
    site_of,
    tariff,
)

FIRST, LAST = date(2026, 2, 1), date(2026, 2, 28)
CUSTOMERS = ["acme", "bolt", "cask"]
MACHINES = ["NO-0001", "NO-0002", "ET-0001", "ET-0002"]
SITES = ["norway", "ethiopia"]
DAYS = [FIRST + timedelta(days=number) for number in range(28)]

energies: st.SearchStrategy[Energy] = st.one_of(
    st.integers(0, 70_000),
    st.builds(
        lambda wh, missing, estimated: Day(wh=wh, missing=missing, estimated_wh=min(wh, estimated)),
        st.integers(0, 70_000),
        st.integers(0, 3),
        st.integers(0, 9_000),
    ),
    st.none(),
)


def pieces(cuts: Sequence[int]) -> list[tuple[str, str]]:
    """First and last days of the stretches between some days of the month, the last one without an end."""
    edges = sorted({1, *cuts})
    last = [f"2026-02-{edge - 1:02}" for edge in edges[1:]] + [""]
    return [(f"2026-02-{edge:02}", end) for edge, end in zip(edges, last, strict=True)]


cuts = st.lists(st.integers(2, 28), max_size=2)


@st.composite
def assignments(draw: st.DrawFn, machine: str) -> list[Assignment]:
    """Who has a machine: up to three stretches, some of them nobody's, in repair or free."""
    rows = []
    for from_day, to_day in pieces(draw(cuts)):
        owner = draw(st.sampled_from([*CUSTOMERS, None]))
        state = draw(st.sampled_from(["billable", "billable", "billable", "repair", "free"]))
        if owner:
            rows.append(assignment(machine, owner, from_day, to_day, state=state))
    return rows


prices = st.decimals("0", "2", places=4).map(str)


@st.composite
def scope(draw: st.DrawFn, customer: str, site: str, *, whole: bool) -> list[Tariff]:
    """The tariffs of one scope; a whole one leaves no day out."""
    rows = []
    for number, (from_day, to_day) in enumerate(pieces(draw(cuts))):
        if whole or draw(st.booleans()):
            optional = {
                "multiplier": draw(st.sampled_from(["1", "1.08", "0.9"])),
                "fee_per_machine_day": draw(st.sampled_from(["0", "0", "2.5"])),
                "minimum_per_month": draw(st.sampled_from(["0", "0", "500", "3000"])),
            }
            name = f"{customer or 'all'}-{site or 'all'}-{number}"
            rows.append(tariff(name, draw(prices), from_day, to_day, customer=customer, site=site, **optional))
    return rows


@dataclass(frozen=True, kw_only=True)
class World:
    """A month's registry and energy."""

    assignments: list[Assignment]
    tariffs: list[Tariff]
    energy: dict[tuple[str, date], Energy] = field(default_factory=dict)
    accepted: frozenset[tuple[str, date]] = frozenset()

    def books(self) -> Books:
        return Books(
            first=FIRST, last=LAST, assignments=self.assignments, tariffs=self.tariffs, energy=self.energy,
            accepted=self.accepted, tolerated_hours=2,
        )  # fmt: skip


@st.composite
def registries(draw: st.DrawFn, machines: Sequence[str]) -> tuple[list[Assignment], list[Tariff]]:
    tariffs = draw(scope("", "", whole=draw(st.sampled_from([True, True, True, False]))))
    for owner, site in [("", "norway"), ("acme", ""), ("acme", "norway"), ("bolt", "ethiopia")]:
        if draw(st.booleans()):
            tariffs += draw(scope(owner, site, whole=False))
    return [row for machine in machines for row in draw(assignments(machine))], tariffs


@st.composite
def changes(draw: st.DrawFn, machines: Sequence[str], count: int) -> dict[tuple[str, date], Energy]:
    """Some machine-days that are not like the others."""
    keys = st.tuples(st.sampled_from(machines), st.sampled_from(DAYS))
    return draw(st.dictionaries(keys, energies, max_size=count))


@st.composite
def stories(draw: st.DrawFn) -> tuple[World, World]:
    """A world as it was rated first, and as it was known later."""
    machines = MACHINES[: draw(st.integers(1, 4))]
    rows, tariffs = draw(registries(machines))
    energy: dict[tuple[str, date], Energy] = {
        (machine, day): 100 * (index + 1) + day.day for index, machine in enumerate(machines) for day in DAYS
    }
    accepted = frozenset(draw(st.sets(st.tuples(st.sampled_from(machines), st.sampled_from(DAYS)), max_size=2)))
    before = World(assignments=rows, tariffs=tariffs, energy=energy | draw(changes(machines, 3)), accepted=accepted)
    later_rows, later_tariffs = draw(registries(machines)) if draw(st.booleans()) else (rows, tariffs)
    after = replace(
        before, assignments=later_rows, tariffs=later_tariffs, energy=before.energy | draw(changes(machines, 2))
    )
    return before, after


def write(connection: sa.Connection, world: World, days: Sequence[date]) -> None:
    customers = [customer(name) for name in CUSTOMERS]
    policy = Policy(accepted_gap_hours=2)
    register(connection, customers=customers, assignments=world.assignments, tariffs=world.tariffs, policy=policy)
    for site in SITES:
        for day in days:
            machines = {name: wh for (name, at), wh in world.energy.items() if at == day and site_of(name) == site}
            if machines:
                collect(connection, site=site, day=day, machines=machines)
    for machine, day in world.accepted:
        queries.accept_gap(
            connection, site=site_of(machine), machines=[machine], first_day=day, last_day=day, reason="test",
            actor="test", now=NOW,
        )  # fmt: skip


def billed(connection: sa.Connection) -> dict[str, Bill]:
    """What the current revisions hold."""
    rows = ask(
        connection,
        "select customer, coalesce(sum(amount), 0), coalesce(sum(wh), 0)::bigint from albacore.current_customer_month"
        " left join albacore.billing_record using (customer_month_id) group by customer",
    )
    return {name: Bill(amount, wh) for name, amount, wh in rows}


def blocked(connection: sa.Connection) -> dict[str, str]:
    return {
        name: "tariff" if reason.startswith("no tariff") else "gaps"
        for name, reason in ask(
            connection, "select customer, reason from report.customer_months where state = 'blocked'"
        )
    }


def expected(world: World, before: Mapping[str, Bill]) -> tuple[dict[str, Bill], dict[str, str]]:
    """What must stand in the books: a blocked month keeps what it had, one that lost all holds nothing."""
    bills, reasons = dict(before), {}
    for name in CUSTOMERS:
        match world.books().bill(name):
            case Bill() as bill:
                bills[name] = bill
            case Blocked(by=by):
                reasons[name] = by
            case None if name in before:
                bills[name] = Bill(Decimal(0), 0)
    return bills, reasons


def frozen_content(connection: sa.Connection) -> list[Any]:
    return ask(
        connection,
        "select customer, revision, content_sha256, sum(amount) from albacore.customer_month"
        " left join albacore.billing_record using (customer_month_id) where frozen_at is not null"
        " group by 1, 2, 3 order by 1, 2",
    )


def check(connection: sa.Connection) -> None:
    assert breaks(connection, first=FIRST, last=LAST) == []


@settings(max_examples=20)
@given(story=stories())
def test_rating_equals_the_reference(scratch_engine: sa.Engine, story: tuple[World, World]) -> None:
    before, after = story
    with scratch_engine.connect() as connection:
        open_sites(connection, *SITES, starts_on=FIRST)
        write(connection, before, DAYS)
        check(connection)
        rate(connection, "2026-02")
        bills, reasons = expected(before, {})
        assert (billed(connection), blocked(connection)) == (bills, reasons)
        check(connection)

        freeze_ready(connection)
        frozen = frozen_content(connection)
        changed = sorted({day for (name, day), wh in after.energy.items() if wh != before.energy[name, day]})
        write(connection, after, changed)
        check(connection)
        rate(connection, "2026-02")
        assert (billed(connection), blocked(connection)) == expected(after, bills)
        assert frozen_content(connection) == frozen
        check(connection)
        assert {verdict.action for verdict in rate(connection, "2026-02").values()} <= {"keep"}
        connection.rollback()
