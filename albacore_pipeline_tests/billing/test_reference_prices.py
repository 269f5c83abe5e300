"""Rating by tier, by hour and by index, with estimates, against the reference: around the nights of the clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.oversight import queries as oversight
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Price, Tariff, TariffBand
from albacore_pipeline_tests.billing.checks import breaks
from albacore_pipeline_tests.billing.reference import Bill, Blocked, Books, hours_of_day
from albacore_pipeline_tests.invoicing.fakes import FakeArchive
from albacore_pipeline_tests.small_world import (
    NOW,
    Energy,
    Hours,
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

WINDOWS = [date(2025, 10, 24), date(2026, 3, 27), date(2026, 2, 12)]  # 25 and 23 hours on the third day, and neither
LENGTH = 5
MACHINES = ["NO-0001", "NO-0002", "ET-0001"]
CURRENCIES = {"NOK": 2, "JPY": 0}
BANDS = [
    TariffBand(tariff="hours", weekdays="Mon-Fri", from_hour=7, to_hour=22, unit_price=Decimal("0.9")),
    TariffBand(tariff="hours", weekdays="Sun", from_hour=22, to_hour=4, unit_price=Decimal("0.31")),
    TariffBand(tariff="tiers", from_kwh=Decimal("1.5"), unit_price=Decimal("0.7")),
    TariffBand(tariff="tiers", from_kwh=Decimal("12.25"), unit_price=Decimal("0.123456")),
    TariffBand(tariff="steep", from_kwh=Decimal(0), unit_price=Decimal(0)),
    TariffBand(tariff="steep", from_kwh=Decimal(20), unit_price=Decimal(3)),
]
KINDS: dict[str, dict[str, str | None]] = {
    "flat": {"kind": "flat"},
    "hours": {"kind": "time_of_use"},
    "tiers": {"kind": "tiered"},
    "steep": {"kind": "tiered", "unit_price": None},
    "NO1": {"kind": "indexed"},
    "spot": {"kind": "indexed", "index": "NO1", "unit_price": "0.0125"},
}


@dataclass(frozen=True, kw_only=True)
class World:
    """Some days of a month."""

    first: date
    currency: str
    assignments: list[Assignment]
    tariffs: list[Tariff]
    prices: dict[tuple[str, datetime], Decimal]
    energy: dict[tuple[str, date], Energy]
    estimated_hours: int

    def books(self) -> Books:
        month = Month.of(self.first)
        return Books(
            first=month.first_day, last=month.last_day, assignments=self.assignments, tariffs=self.tariffs,
            energy=self.energy, accepted=frozenset(), tolerated_hours=2, bands=BANDS, prices=self.prices,
            estimated_hours=self.estimated_hours,
        )  # fmt: skip


def hourly(count: int) -> st.SearchStrategy[Hours]:
    measured = st.lists(st.integers(0, 2_900), min_size=count, max_size=count)
    holes = st.one_of(st.just(frozenset[int]()), st.frozensets(st.integers(0, count - 1), max_size=4))
    return st.builds(
        lambda wh, gone: Hours(wh=tuple(None if place in gone else one for place, one in enumerate(wh))),
        measured,
        holes,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    first = draw(st.sampled_from(WINDOWS))
    days = [first + timedelta(days=number) for number in range(LENGTH)]
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    machines = MACHINES[: draw(st.integers(1, 3))]
    rows: list[Assignment] = []
    for machine in machines:
        cut = draw(st.integers(1, LENGTH - 1))
        for begin, end in ((0, cut - 1), (cut, LENGTH - 1)):
            owner = draw(st.sampled_from(["acme", "bolt"]))
            rows.append(assignment(machine, owner, str(days[begin]), str(days[end])))
    tariffs = []
    for owner in ("acme", "bolt"):
        change = draw(st.integers(1, LENGTH - 1))
        for from_day, to_day in (("2025-01-01", str(days[change - 1])), (str(days[change]), "")):
            name = draw(st.sampled_from([*KINDS, "hours", "hours"]))
            given: dict[str, Any] = {"multiplier": draw(st.sampled_from(["1", "1.08"])), "currency": currency} | KINDS[
                name
            ]
            price = given.pop("unit_price", draw(st.decimals("0", "2", places=4).map(str)))
            tariffs.append(tariff(name, price, from_day, to_day, customer=owner, **given))
    hours = sorted({start for day in days for site in ("norway", "ethiopia") for start in hours_of_day(site, day)})
    spot = draw(st.lists(st.decimals("-0.5", "3", places=5), min_size=len(hours), max_size=len(hours)))
    prices = {("NO1", start): price for start, price in zip(hours, spot, strict=True)}
    if draw(st.sampled_from([False, False, True])):
        del prices["NO1", draw(st.sampled_from(hours))]
    energy: dict[tuple[str, date], Energy] = {
        (machine, day): draw(hourly(len(hours_of_day(site_of(machine), day)))) for machine in machines for day in days
    }
    return World(
        first=first, currency=currency, assignments=rows, tariffs=tariffs, prices=prices, energy=energy,
        estimated_hours=draw(st.sampled_from([0, 3, 8])),
    )  # fmt: skip


def write(connection: sa.Connection, world: World) -> None:
    open_sites(connection, "norway", "ethiopia", starts_on=world.first)
    register(
        connection,
        customers=[customer(name, currency=world.currency) for name in ("acme", "bolt")],
        assignments=world.assignments,
        tariffs=world.tariffs,
        bands=BANDS,
        prices=[
            Price(index=index, hour_start=start, currency=world.currency, price_per_kwh=price)
            for (index, start), price in world.prices.items()
        ],
        policy=Policy(accepted_gap_hours=2, estimated_hours=world.estimated_hours, review_factor=0),
    )
    for site in ("norway", "ethiopia"):
        for day in sorted({day for _, day in world.energy}):
            machines = {name: wh for (name, at), wh in world.energy.items() if at == day and site_of(name) == site}
            if machines:
                collect(connection, site=site, day=day, machines=machines)


def results(connection: sa.Connection, names: Sequence[str]) -> dict[str, Bill | Blocked | None]:
    """What the database holds of each customer."""
    amounts = ask(
        connection,
        "select customer, state, reason, coalesce(sum(amount), 0), coalesce(sum(wh), 0)::bigint"
        " from albacore.customer_month left join albacore.billing_record using (customer_month_id) group by 1, 2, 3",
    )
    found: dict[str, Bill | Blocked | None] = dict.fromkeys(names)
    for name, state, reason, amount, wh in amounts:
        by = "tariff" if reason.startswith("no tariff") else "price" if reason.startswith("no price") else "gaps"
        found[name] = Blocked(by) if state == "blocked" else Bill(amount, wh)
    return found


@settings(max_examples=20)
@given(world=worlds())
def test_every_kind_of_price_equals_the_reference(scratch_engine: sa.Engine, world: World) -> None:
    month, books = Month.of(world.first), world.books()
    with scratch_engine.connect() as connection:
        write(connection, world)
        rate(connection, str(month))
        wanted = {name: books.bill(name) for name in ("acme", "bolt")}
        assert results(connection, ["acme", "bolt"]) == wanted
        assert breaks(connection, first=month.first_day, last=month.last_day) == []
        assert {verdict.action for verdict in rate(connection, str(month)).values()} <= {"keep"}

        prepare_documents(connection, month=month, archive=FakeArchive(), sales_account="200", now=NOW)
        for name in ("acme", "bolt"):
            lines = ask(
                connection,
                "select line.amount from albacore.document_line line join albacore.document using (document_id)"
                " where customer = :name order by 1",
                name=name,
            )
            expected = books.lines(name, CURRENCIES[world.currency])
            assert [amount for (amount,) in lines] == (expected if sum(expected) else [])
        places = CURRENCIES[world.currency]
        assert (
            oversight.records_against_lines(
                connection,
                first_day=month.first_day,
                last_day=month.last_day,
                minor_units=places,
                currencies=[world.currency],
            )
            == []
        )
        connection.rollback()
