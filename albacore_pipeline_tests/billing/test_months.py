"""Golden months, worked out by hand: handovers, prices, minimums, gaps, and what is not billed.

A machine uses 1 kWh a day unless a test says otherwise, so quantities are numbers of days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.store import NoRegistry
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.billing.checks import breaks
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.small_world import (
    NOW,
    Day,
    ask,
    assignment,
    collect,
    collect_month,
    customer,
    open_sites,
    rate,
    register,
    tariff,
)

ACME, BOLT = customer("acme"), customer("bolt")
FLAT = tariff("flat", "0.5")


@pytest.fixture(autouse=True)
def _sites(connection: sa.Connection) -> None:
    open_sites(connection, "norway", "finland", "ethiopia", starts_on=date(2024, 2, 1))


def records(connection: sa.Connection, customer: str) -> list[tuple[Any, ...]]:
    """A customer's records: kind, machine, first and last day of the month, quantity, amount."""
    return ask(
        connection,
        "select price_kind, machine, extract(day from from_day)::int, extract(day from to_day)::int,"
        " trim_scale(quantity), trim_scale(amount) from report.billing_records where customer = :customer"
        " order by price_kind, machine, from_day",
        customer=customer,
    )


def unbilled(connection: sa.Connection) -> list[tuple[Any, ...]]:
    """What is unbilled: machine, reason, days, kWh."""
    return ask(
        connection,
        "select machine, reason, count(*), trim_scale(sum(kwh)) from report.unbilled group by 1, 2 order by 1, 2",
    )


def state(connection: sa.Connection, customer: str) -> tuple[str, str]:
    question = "select state, reason from report.customer_months where customer = :name"
    ((now, reason),) = ask(connection, question, name=customer)
    return now, reason


def is_conserved(connection: sa.Connection, first: str = "2024-01-01", last: str = "2026-12-31") -> bool:
    return breaks(connection, first=date.fromisoformat(first), last=date.fromisoformat(last)) == []


@pytest.fixture(autouse=True)
def _conserved(connection: sa.Connection) -> Iterator[None]:
    """After every test here each watt-hour is billed or unbilled."""
    yield
    assert is_conserved(connection)


# Who has the machine


@pytest.mark.parametrize(("handover", "acme_days"), [(1, 0), (2, 1), (15, 14), (31, 30)])
def test_a_machine_is_handed_over(connection: sa.Connection, handover: int, acme_days: int) -> None:
    """The day of the handover is the new customer's, whole."""
    before = [assignment("NO-0001", "acme", "2025-09-01", f"2025-10-{acme_days:02}" if acme_days else "2025-09-30")]
    after = [assignment("NO-0001", "bolt", f"2025-10-{handover:02}")]
    register(connection, customers=[ACME, BOLT], assignments=before + after, tariffs=[FLAT])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    wanted = [("energy", "NO-0001", 1, acme_days, acme_days, Decimal(acme_days) / 2)] if acme_days else []
    assert records(connection, "acme") == wanted
    assert records(connection, "bolt") == [
        ("energy", "NO-0001", handover, 31, 31 - acme_days, Decimal(31 - acme_days) / 2)
    ]
    assert unbilled(connection) == []


def test_a_customer_who_comes_back_has_two_records(connection: sa.Connection) -> None:
    spans = [assignment("NO-0001", "acme", "2025-10-01", "2025-10-03"), assignment("NO-0001", "acme", "2025-10-29")]
    register(connection, customers=[ACME], assignments=spans, tariffs=[FLAT])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    assert [row[2:5] for row in records(connection, "acme")] == [(1, 3, 3), (29, 31, 3)]
    assert unbilled(connection) == [("NO-0001", "unassigned", 25, 25)]


def test_what_nobody_rents_is_unbilled_with_the_reason(connection: sa.Connection) -> None:
    register(
        connection,
        customers=[ACME],
        assignments=[
            assignment("NO-0001", "acme", "2025-10-01", "2025-10-10"),
            assignment("NO-0001", "acme", "2025-10-11", "2025-10-20", state="repair"),
            assignment("NO-0001", "acme", "2025-10-21", "2025-10-25", state="free"),
        ],
        tariffs=[FLAT],
    )
    collect_month(connection, month="2025-10", machines=["NO-0001", "NO-0002"])
    assert unbilled(connection)[0] == ("NO-0001", "month_open", 10, 10)
    rate(connection, "2025-10")
    assert records(connection, "acme") == [("energy", "NO-0001", 1, 10, 10, 5)]
    assert unbilled(connection) == [
        ("NO-0001", "not_billable", 15, 15),
        ("NO-0001", "unassigned", 6, 6),
        ("NO-0002", "unassigned", 31, 31),
    ]


def test_a_tariff_that_loses_to_a_more_specific_one_cuts_nothing(connection: sa.Connection) -> None:
    default = [tariff("old", "9", to_day="2025-10-14"), tariff("new", "8", "2025-10-15")]
    own = tariff("own", "0.5", customer="acme")
    rows = [assignment("NO-0001", "acme", "2025-10-01")]
    register(connection, customers=[ACME], assignments=rows, tariffs=[*default, own])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    assert records(connection, "acme") == [("energy", "NO-0001", 1, 31, 31, Decimal("15.5"))]


def test_a_leap_february_has_29_days(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2024-01-15")], tariffs=[FLAT])
    collect_month(connection, month="2024-02", machines=["NO-0001"])
    rate(connection, "2024-02")
    assert records(connection, "acme") == [("energy", "NO-0001", 1, 29, 29, Decimal("14.5"))]


@pytest.mark.parametrize(("month", "day", "hours"), [("2025-10", 26, 25), ("2026-03", 29, 23)])
def test_days_on_which_the_clocks_change(connection: sa.Connection, month: str, day: int, hours: int) -> None:
    """Norway's day has 25 or 23 hours, Ethiopia's 24; a missing hour of either is a gap of one hour."""
    machines = [assignment(name, "acme", "2025-01-01") for name in ("NO-0001", "ET-0001")]
    register(connection, customers=[ACME], assignments=machines, tariffs=[FLAT])
    last_hour = Day(wh=1_000, missing=1)
    but = {("NO-0001", day): last_hour, ("ET-0001", day): last_hour}
    collect_month(connection, month=month, machines=["NO-0001", "ET-0001"], but=but)
    rate(connection, month)
    assert ask(
        connection,
        "select hours_expected, hours_measured from report.machine_days where day = :day order by machine",
        day=date.fromisoformat(f"{month}-{day}"),
    ) == [(24, 23), (hours, hours - 1)]
    assert ask(connection, "select distinct hours_missing from report.gaps") == [(1,)]
    assert [row[4:] for row in records(connection, "acme")] == [(31, Decimal("15.5"))] * 2


# At which price


def test_a_tariff_changes_within_the_month(connection: sa.Connection) -> None:
    tariffs = [tariff("flat", "0.5", to_day="2025-10-19"), tariff("flat", "0.75", "2025-10-20")]
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-05")], tariffs=tariffs)
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    assert records(connection, "acme") == [
        ("energy", "NO-0001", 5, 19, 15, Decimal("7.5")),
        ("energy", "NO-0001", 20, 31, 12, 9),
    ]


def test_the_most_specific_tariff_wins(connection: sa.Connection) -> None:
    """Customer and site, then customer, then site, then the default; a specific one may end within the month."""
    tariffs = [
        tariff("default", "1"),
        tariff("at-norway", "2", site="norway"),
        tariff("acmes", "3", customer="acme"),
        tariff("acmes-at-norway", "4", "2025-10-11", "2025-10-20", customer="acme", site="norway"),
    ]
    machines = [
        assignment("NO-0001", "acme", "2025-10-01"),
        assignment("FI-0001", "acme", "2025-10-01"),
        assignment("NO-0002", "bolt", "2025-10-01"),
        assignment("FI-0002", "bolt", "2025-10-01"),
    ]
    register(connection, customers=[ACME, BOLT], assignments=machines, tariffs=tariffs)
    collect_month(connection, month="2025-10", machines=[row.machine for row in machines])
    rate(connection, "2025-10")
    prices = ask(
        connection,
        "select customer, machine, extract(day from from_day)::int, trim_scale(unit_price), tariff"
        " from report.billing_records order by 1, 2, 3",
    )
    assert prices == [
        ("acme", "FI-0001", 1, 3, "acmes"),
        ("acme", "NO-0001", 1, 3, "acmes"),
        ("acme", "NO-0001", 11, 4, "acmes-at-norway"),
        ("acme", "NO-0001", 21, 3, "acmes"),
        ("bolt", "FI-0002", 1, 1, "default"),
        ("bolt", "NO-0002", 1, 2, "at-norway"),
    ]


def test_a_tariff_in_another_currency_does_not_count(connection: sa.Connection) -> None:
    euros = tariff("euros", "0.05", site="norway", currency="EUR")
    register(
        connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[FLAT, euros]
    )
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    assert rate(connection, "2025-10")["acme"].amount == Decimal("15.5")


def test_losses_and_fees(connection: sa.Connection) -> None:
    """31 days x 1 kWh x 1.08 x 0.5 = 16.74, and 31 machine-days x 2.5 = 77.5."""
    price = tariff("full", "0.5", multiplier="1.08", fee_per_machine_day="2.5")
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[price])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    assert records(connection, "acme") == [
        ("energy", "NO-0001", 1, 31, Decimal("33.48"), Decimal("16.74")),
        ("machine_days", "NO-0001", 1, 31, 31, Decimal("77.5")),
    ]
    assert ask(connection, "select sum(kwh) from report.billing_records") == [(31,)], "kWh as measured, not as priced"


@pytest.mark.parametrize(("minimum", "rest"), [("20", Decimal("4.5")), ("15.5", None), ("10", None)])
def test_a_monthly_minimum(connection: sa.Connection, minimum: str, rest: Decimal | None) -> None:
    price = tariff("flat", "0.5", minimum_per_month=minimum)
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[price])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    verdict = rate(connection, "2025-10")["acme"]
    assert verdict.amount == max(Decimal(minimum), Decimal("15.5"))
    wanted = [("minimum", None, 1, 31, 1, rest)] if rest else []
    assert records(connection, "acme")[1:] == wanted


def test_the_minimum_is_the_one_that_holds_on_the_last_day(connection: sa.Connection) -> None:
    """The general tariff has one and holds for ever, but acme's own from the 20th on, without one, wins."""
    tariffs = [tariff("flat", "0.5", minimum_per_month="100"), tariff("own", "0.5", "2025-10-20", customer="acme")]
    machines = [assignment("NO-0001", "acme", "2025-10-01"), assignment("NO-0002", "bolt", "2025-10-01")]
    register(connection, customers=[ACME, BOLT], assignments=machines, tariffs=tariffs)
    collect_month(connection, month="2025-10", machines=["NO-0001", "NO-0002"])
    verdicts = rate(connection, "2025-10")
    assert (verdicts["acme"].amount, verdicts["bolt"].amount) == (Decimal("15.5"), Decimal(100))


def test_the_minimum_holds_for_a_customer_who_left_during_the_month(connection: sa.Connection) -> None:
    price = tariff("flat", "0.5", minimum_per_month="20")
    spans = [assignment("NO-0001", "acme", "2025-10-01", "2025-10-10")]
    register(connection, customers=[ACME], assignments=spans, tariffs=[price])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    assert rate(connection, "2025-10")["acme"].amount == 20


def test_equal_minimums_of_several_tariffs_rate_the_same_each_time(connection: sa.Connection) -> None:
    tariffs = [
        tariff("one", "0.5", site="norway", minimum_per_month="99"),
        tariff("two", "0.5", site="finland", minimum_per_month="99"),
    ]
    machines = [assignment("NO-0001", "acme", "2025-10-01"), assignment("FI-0001", "acme", "2025-10-01")]
    register(connection, customers=[ACME], assignments=machines, tariffs=tariffs)
    collect_month(connection, month="2025-10", machines=["NO-0001", "FI-0001"])
    rate(connection, "2025-10")
    assert ask(connection, "select tariff, amount from report.billing_records where price_kind = 'minimum'") == [
        ("one", 68)
    ]


# What holds a month up


def test_no_registry_no_billing(connection: sa.Connection) -> None:
    with pytest.raises(NoRegistry, match="albacore registry load"):
        rate(connection, "2025-10")


def test_no_tariff_blocks_only_the_customer_without_one(connection: sa.Connection) -> None:
    late = tariff("late", "0.5", "2025-10-03", site="norway")
    machines = [assignment("NO-0001", "acme", "2025-10-01"), assignment("NO-0002", "bolt", "2025-10-03")]
    register(connection, customers=[ACME, BOLT], assignments=machines, tariffs=[late])
    collect_month(connection, month="2025-10", machines=["NO-0001", "NO-0002"])
    rate(connection, "2025-10")
    assert state(connection, "acme") == ("blocked", "no tariff at norway from 2025-10-01 on: add a row to tariffs.csv")
    assert state(connection, "bolt") == ("ready", "")
    assert unbilled(connection) == [("NO-0001", "no_tariff", 31, 31), ("NO-0002", "unassigned", 2, 2)]
    register(connection, customers=[ACME, BOLT], assignments=machines, tariffs=[FLAT])
    assert rate(connection, "2025-10")["acme"].action == "rewrite"
    assert state(connection, "acme") == ("ready", "")


def test_a_missing_day_blocks_and_then_follows_by_itself(connection: sa.Connection) -> None:
    machines = [assignment("NO-0001", "acme", "2025-10-01"), assignment("FI-0001", "bolt", "2025-10-01")]
    register(connection, customers=[ACME, BOLT], assignments=machines, tariffs=[FLAT])
    collect_month(connection, month="2025-10", machines=["NO-0001", "FI-0001"], but={("NO-0001", 7): None})
    rate(connection, "2025-10")
    assert state(connection, "acme") == (
        "blocked",
        "0 machine-days not collected and 24 hours missing on 1 machines, first NO-0001 at norway on 2025-10-07",
    )
    assert state(connection, "bolt") == ("ready", "")
    assert unbilled(connection) == [("NO-0001", "customer_blocked", 30, 30)]
    collect(connection, site="norway", day=date(2025, 10, 7), machines={"NO-0001": 5_000})
    assert rate(connection, "2025-10")["acme"].kwh == 35
    assert unbilled(connection) == []


def test_a_day_that_was_never_collected_blocks(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-30")], tariffs=[FLAT])
    collect(connection, site="norway", day=date(2025, 10, 31), machines={"NO-0001": 1_000})
    rate(connection, "2025-10")
    assert state(connection, "acme")[1].startswith("1 machine-days not collected and 0 hours missing")
    assert state(connection, "acme")[1].endswith("NO-0001 at norway on 2025-10-30")


def test_a_revision_that_waits_does_not_count(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[FLAT])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    collect(connection, site="norway", day=date(2025, 10, 5), machines={"NO-0001": 9_000}, accept=False)
    assert rate(connection, "2025-10")["acme"].kwh == 31


def accept_gap(connection: sa.Connection, first: int, last: int, *machines: str) -> None:
    queries.accept_gap(
        connection, site="norway", machines=machines, first_day=date(2025, 10, first), last_day=date(2025, 10, last),
        reason="site was rebuilt", actor="anna", now=NOW,
    )  # fmt: skip


def test_an_accepted_gap_is_not_billed(connection: sa.Connection) -> None:
    """The 7th is missing, the 9th in part; accepted, what is known is billed and what is missing is not."""
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[FLAT])
    but = {("NO-0001", 7): None, ("NO-0001", 9): Day(wh=700, missing=5)}
    collect_month(connection, month="2025-10", machines=["NO-0001"], but=but)
    accept_gap(connection, 7, 7, "NO-0001")
    rate(connection, "2025-10")
    assert "5 hours missing on 1 machines" in state(connection, "acme")[1]
    accept_gap(connection, 8, 12)  # all machines of the site
    assert rate(connection, "2025-10")["acme"].kwh == Decimal("29.7")
    assert ask(connection, "select distinct state from report.gaps") == [("accepted",)]


def test_an_accepted_gap_of_a_day_without_a_collection(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-30")], tariffs=[FLAT])
    collect(connection, site="norway", day=date(2025, 10, 31), machines={"NO-0001": 1_000})
    accept_gap(connection, 30, 30, "NO-0001")
    assert rate(connection, "2025-10")["acme"].kwh == 1


@pytest.mark.parametrize(("hours", "wanted"), [(2, "ready"), (3, "blocked")])
def test_the_policy_lets_small_gaps_pass(connection: sa.Connection, hours: int, wanted: str) -> None:
    """Two hours a machine-month, here on two days; each machine has its own two."""
    machines = [assignment(name, "acme", "2025-10-01") for name in ("NO-0001", "NO-0002")]
    policy = Policy(accepted_gap_hours=2)
    register(connection, customers=[ACME], assignments=machines, tariffs=[FLAT], policy=policy)
    but = {
        ("NO-0001", 3): Day(wh=900, missing=1),
        ("NO-0001", 4): Day(wh=900, missing=hours - 1),
        ("NO-0002", 4): Day(wh=900, missing=2),
    }
    collect_month(connection, month="2025-10", machines=["NO-0001", "NO-0002"], but=but)
    rate(connection, "2025-10")
    assert state(connection, "acme")[0] == wanted


def test_a_small_gap_passes_only_when_late_data_could_have_come(connection: sa.Connection) -> None:
    """Ethiopia's days arrive up to a week late. What was read again after that, and still lacks an hour, lacks it."""
    register(connection, customers=[ACME], assignments=[assignment("ET-0001", "acme", "2025-10-31")], tariffs=[FLAT])
    reading = {"site": "ethiopia", "day": date(2025, 10, 31), "machines": {"ET-0001": Day(wh=900, missing=1)}}
    for at, wanted in [("2025-11-01T06:00", "blocked"), ("2025-11-07T20:59", "blocked"), ("2025-11-07T21:00", "ready")]:
        collect(connection, **reading, at=utc(at))  # type: ignore[arg-type]
        rate(connection, "2025-10")
        assert state(connection, "acme")[0] == wanted


def test_estimated_energy_is_billed_and_shown(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[FLAT])
    but = {("NO-0001", 3): Day(wh=900, estimated_wh=400)}
    collect_month(connection, month="2025-10", machines=["NO-0001"], but=but)
    rate(connection, "2025-10")
    assert ask(connection, "select kwh, measured_kwh, estimated_kwh from report.billing_records") == [
        (Decimal("30.9"), Decimal("30.5"), Decimal("0.4"))
    ]


def test_a_machine_that_used_nothing_is_billed_nothing(connection: sa.Connection) -> None:
    register(connection, customers=[ACME], assignments=[assignment("NO-0001", "acme", "2025-10-01")], tariffs=[FLAT])
    collect_month(connection, month="2025-10", machines=["NO-0001"], wh=0)
    rate(connection, "2025-10")
    assert records(connection, "acme") == [("energy", "NO-0001", 1, 31, 0, 0)]
    assert unbilled(connection) == []
