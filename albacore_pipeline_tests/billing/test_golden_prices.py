"""Golden months of tiers, hours, indexes and estimates: small enough for a calculator.

A machine uses the same in each hour unless a test says otherwise; prices are chosen so that sums show their parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing.queries import RatingResult
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Price, Tariff, TariffBand
from albacore_pipeline_tests.billing.checks import breaks, freeze_ready
from albacore_pipeline_tests.billing.reference import hours_of_day
from albacore_pipeline_tests.small_world import (
    Energy,
    Hours,
    ask,
    assignment,
    collect,
    customer,
    even,
    open_sites,
    rate,
    register,
    site_of,
    tariff,
)

ACME = [customer("acme")]
D = Decimal


@pytest.fixture(autouse=True)
def _conserved(connection: sa.Connection) -> Iterator[None]:
    """After every test here each watt-hour is billed or unbilled, and records are what was rated."""
    open_sites(connection, "norway", "ethiopia", starts_on=date(2025, 10, 1))
    yield
    assert breaks(connection, first=date(2025, 1, 1), last=date(2026, 12, 31)) == []


def band(name: str, price: str, **given: Any) -> TariffBand:
    return TariffBand(tariff=name, unit_price=D(price), **given)


def stay(
    connection: sa.Connection,
    *,
    days: list[date],
    tariffs: list[Tariff],
    machine: str = "NO-0001",
    wh: int = 1_000,
    but: Mapping[date, Energy] | None = None,
    policy: Policy | None = None,
    around: int = 0,
    **prices: Any,
) -> dict[str, RatingResult]:
    """Acme has a machine for these days, which uses `wh` an hour; `around` days more are collected on both sides."""
    rows = [assignment(machine, "acme", str(days[0]), str(days[-1]))]
    register(connection, customers=ACME, assignments=rows, tariffs=tariffs, policy=policy, **prices)
    first, last = days[0] - timedelta(days=around), days[-1] + timedelta(days=around)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        energy = (but or {}).get(day, even(site_of(machine), day, wh))
        collect(connection, site=site_of(machine), day=day, machines={machine: energy})
    return rate(connection, f"{days[0]:%Y-%m}")


def bill(connection: sa.Connection) -> list[tuple[Any, ...]]:
    """Band, kWh, unit price and amount of acme's records of energy."""
    return ask(
        connection,
        "select band, trim_scale(kwh), trim_scale(unit_price), trim_scale(amount) from report.billing_records"
        " where price_kind = 'energy' order by from_day, length(band), band",
    )


def state(connection: sa.Connection) -> tuple[str, str, str | None]:
    ((now, reason, waits),) = ask(connection, "select state, reason, waits from report.customer_months")
    return now, reason, waits


# Tiers


def test_tiers_are_crossed(connection: sa.Connection) -> None:
    """Two days of 24 kWh: 10 at 3, 20 at 2, 18 at 1."""
    tiers = [band("tiers", "2", from_kwh=10), band("tiers", "1", from_kwh=30)]
    stay(
        connection,
        days=[date(2026, 2, 1), date(2026, 2, 2)],
        tariffs=[tariff("tiers", "3", kind="tiered")],
        bands=tiers,
    )
    assert bill(connection) == [("from 0 kWh", 10, 3, 30), ("from 10 kWh", 20, 2, 40), ("from 30 kWh", 18, 1, 18)]


def test_a_tier_that_is_just_reached_has_no_record(connection: sa.Connection) -> None:
    tiers = [band("tiers", "1", from_kwh=24)]
    stay(connection, days=[date(2026, 2, 1)], tariffs=[tariff("tiers", "3", kind="tiered")], bands=tiers)
    assert bill(connection) == [("from 0 kWh", 24, 3, 72)]


def test_tiers_count_on_when_the_tariff_changes_within_the_month(connection: sa.Connection) -> None:
    """24 kWh at a flat price, then tiers that begin where the count stands: 6 of the second day are below 30."""
    change = [
        tariff("flat", "5", to_day="2026-02-01"),
        tariff("tiers", None, "2026-02-02", kind="tiered", multiplier="1.5"),
    ]
    tiers = [band("tiers", "2"), band("tiers", "1", from_kwh=30)]
    stay(connection, days=[date(2026, 2, 1), date(2026, 2, 2)], tariffs=change, bands=tiers)
    assert bill(connection) == [("", 24, 5, 120), ("from 0 kWh", 6, 2, 18), ("from 30 kWh", 18, 1, 27)]


def test_tiers_count_all_machines_of_the_customer_at_a_site(connection: sa.Connection) -> None:
    day = date(2026, 2, 3)
    rows = [assignment(name, "acme", str(day), str(day)) for name in ("NO-0001", "NO-0002", "ET-0001")]
    tiers = [band("tiers", "1", from_kwh=30)]
    register(connection, customers=ACME, assignments=rows, tariffs=[tariff("tiers", "3", kind="tiered")], bands=tiers)
    collect(
        connection, site="norway", day=day, machines=dict.fromkeys(("NO-0001", "NO-0002"), even("norway", day, 1_000))
    )
    collect(connection, site="ethiopia", day=day, machines={"ET-0001": even("ethiopia", day, 1_000)})
    rate(connection, "2026-02")
    found = ask(connection, "select site, machine, band, trim_scale(amount) from report.billing_records order by 1, 3")
    assert found == [
        ("ethiopia", None, "from 0 kWh", 72),
        ("norway", None, "from 0 kWh", 90),
        ("norway", None, "from 30 kWh", 18),
    ]


# Hours of the week

NIGHT = [band("hours", "1", from_hour=22, to_hour=6)]


@pytest.mark.parametrize(
    ("day", "night", "rest"),
    [
        (date(2025, 10, 26), 9, 16),  # the hour after two comes twice
        (date(2026, 3, 29), 7, 16),  # and does not come at all
        (date(2026, 2, 3), 8, 16),
    ],
)
def test_a_night_is_as_long_as_it_is(connection: sa.Connection, day: date, night: int, rest: int) -> None:
    stay(connection, days=[day], tariffs=[tariff("hours", "10", kind="time_of_use")], bands=NIGHT)
    assert bill(connection) == [("22-06", night, 1, night), ("other hours", rest, 10, rest * 10)]


def test_the_repeated_hour_can_be_a_band_of_its_own(connection: sa.Connection) -> None:
    """Two to three in the morning: once 100 Wh, once 700 Wh."""
    day = date(2025, 10, 26)
    wh = [0] * 25
    wh[2], wh[3], wh[4] = 100, 700, 50
    two = [band("hours", "1", from_hour=2, to_hour=3)]
    stay(
        connection,
        days=[day],
        tariffs=[tariff("hours", "10", kind="time_of_use")],
        bands=two,
        but={day: Hours(wh=tuple(wh))},
    )
    assert bill(connection) == [("02-03", D("0.8"), 1, D("0.8")), ("other hours", D("0.05"), 10, D("0.5"))]


def test_weekdays_are_those_of_the_site(connection: sa.Connection) -> None:
    """A Friday and a Saturday: in Ethiopia Saturday begins three hours before UTC's."""
    bands = [band("hours", "1", weekdays="Mon-Fri"), band("hours", "2", weekdays="Sat Sun")]
    stay(
        connection, machine="ET-0001", days=[date(2026, 2, 6), date(2026, 2, 7)],
        tariffs=[tariff("hours", None, kind="time_of_use")], bands=bands,
    )  # fmt: skip
    assert bill(connection) == [("Mon-Fri", 24, 1, 24), ("Sat Sun", 24, 2, 48)]


# An index


def series(day: date, *, but: Mapping[int, str] | None = None, site: str = "norway") -> list[Price]:
    """0.5 an hour, with other prices in some hours of the day."""
    prices = [D((but or {}).get(place, "0.5")) for place in range(len(hours_of_day(site, day)))]
    return [
        Price(index="NO1", hour_start=start, currency="NOK", price_per_kwh=price)
        for start, price in zip(hours_of_day(site, day), prices, strict=True)
    ]


SPOT = [tariff("spot", "0.1", kind="indexed", index="NO1", multiplier="1.1")]


def test_each_hour_has_its_own_price(connection: sa.Connection) -> None:
    """(22 x 0.6 + 2.1 - 0.4) x 1.1 for losses: a price may be negative."""
    day = date(2026, 2, 3)
    stay(connection, days=[day], tariffs=SPOT, prices=series(day, but={7: "2", 8: "-0.5"}))
    ((name, kwh, average, amount),) = bill(connection)
    assert (name, kwh, amount) == ("NO1", 24, D("16.39"))
    assert average == D("0.6208333333")


def test_an_hour_without_a_price_blocks_the_month(connection: sa.Connection) -> None:
    day = date(2025, 10, 26)
    stay(connection, days=[day], tariffs=SPOT, prices=series(day)[:-2])
    assert state(connection)[:2] == (
        "blocked", "no price of NO1 for 2 hours, first 2025-10-26 21:00 UTC: add them to prices.csv",
    )  # fmt: skip
    assert ask(connection, "select reason, sum(kwh) from report.unbilled group by 1") == [("customer_blocked", 25)]
    rows = [assignment("NO-0001", "acme", str(day), str(day))]
    register(connection, customers=ACME, assignments=rows, tariffs=SPOT, prices=series(day))
    rate(connection, "2025-10")
    assert bill(connection) == [("NO1", 25, D("0.6"), D("16.5"))]


def test_a_price_of_another_currency_is_none(connection: sa.Connection) -> None:
    day = date(2026, 2, 3)
    dollars = [price.model_copy(update={"currency": "USD"}) for price in series(day)]
    stay(connection, days=[day], tariffs=SPOT, prices=dollars)
    assert state(connection)[0] == "blocked"


# Estimates

HOLE = date(2026, 2, 3)


def with_hole(*missing: int, wh: int = 1_000) -> dict[date, Energy]:
    return {HOLE: Hours(wh=tuple(None if place in missing else wh for place in range(24)))}


def estimated(connection: sa.Connection, but: Mapping[date, Energy], hours: int = 4, **given: Any) -> None:
    policy = Policy(accepted_gap_hours=0, estimated_hours=hours)
    stay(connection, days=[HOLE], tariffs=[tariff("flat", "1")], but=but, policy=policy, around=1, **given)


def test_missing_hours_are_the_mean_of_the_days_around(connection: sa.Connection) -> None:
    before = Hours(wh=(2_000,) * 24)
    estimated(connection, with_hole(5, 6) | {HOLE - timedelta(days=1): before})
    assert bill(connection) == [("", 25, 1, 25)], "22 hours of 1 kWh and two of 1.5"
    found = ask(
        connection,
        "select kwh, hours_measured, hours_estimated, quality from report.machine_days where day = :day", day=HOLE,
    )  # fmt: skip
    assert found == [(25, 22, 2, "estimated")]
    assert ask(connection, "select estimated_kwh from report.billing_records") == [(3,)]
    hours = ask(connection, "select kwh from report.machine_hours where quality = 'estimated'")
    assert hours == [(D("1.5"),), (D("1.5"),)]
    assert ask(connection, "select hours_missing from report.gaps") == []


def test_one_day_around_is_enough_and_none_is_not(connection: sa.Connection) -> None:
    after = HOLE + timedelta(days=1)
    gone = {HOLE - timedelta(days=1): None, after: Hours(wh=(None, *([500] * 23)))}
    estimated(connection, with_hole(0, 1) | gone)
    assert state(connection)[0] == "blocked"
    assert ask(connection, "select hours_missing from report.gaps where day = :day", day=HOLE) == [(1,)]
    assert ask(connection, "select kwh from report.machine_hours where quality = 'estimated'") == [(D("0.5"),)]


def test_an_estimate_is_at_most_the_rating(connection: sa.Connection) -> None:
    """Machines here are rated 3,000 W; the days around say 3,600 Wh, which a counter may."""
    days = {HOLE + timedelta(days=side): Hours(wh=(3_600,) * 24) for side in (-1, 1)}
    estimated(connection, with_hole(5) | days)
    assert bill(connection) == [("", 26, 1, 26)]


def test_more_missing_hours_than_allowed_are_not_estimated(connection: sa.Connection) -> None:
    estimated(connection, with_hole(1, 2, 3), hours=2)
    assert state(connection)[0] == "blocked"


def test_nothing_is_estimated_unless_a_policy_says_so(connection: sa.Connection) -> None:
    stay(
        connection,
        days=[HOLE],
        tariffs=[tariff("flat", "1")],
        but=with_hole(5),
        policy=Policy(accepted_gap_hours=1),
        around=1,
    )
    assert bill(connection) == [("", 23, 1, 23)]


def test_the_clock_counts_and_not_the_place_in_the_day(connection: sa.Connection) -> None:
    """The ninth hour of the long day is eight o'clock, as is the eighth of the days around."""
    day = date(2025, 10, 26)
    around = Hours(wh=tuple(100 * hour for hour in range(24)))
    but: dict[date, Energy] = {day + timedelta(days=side): around for side in (-1, 1)}
    but[day] = Hours(wh=tuple(None if place == 8 else 0 for place in range(25)))
    policy = Policy(accepted_gap_hours=0, estimated_hours=1)
    stay(connection, days=[day], tariffs=[tariff("flat", "1")], but=but, policy=policy, around=1)
    assert bill(connection) == [("", D("0.7"), 1, D("0.7"))], "place 8 is seven o'clock: two came twice"


def test_estimates_have_their_hours_price(connection: sa.Connection) -> None:
    bands = [band("hours", "1", from_hour=5, to_hour=6)]
    policy = Policy(accepted_gap_hours=0, estimated_hours=4)
    hours = [tariff("hours", "10", kind="time_of_use")]
    stay(connection, days=[HOLE], tariffs=hours, bands=bands, but=with_hole(5, 6), policy=policy, around=1)
    assert bill(connection) == [("05-06", 1, 1, 1), ("other hours", 23, 10, 230)]
    found = ask(connection, "select trim_scale(estimated_kwh) from report.billing_records order by band")
    assert found == [(1,), (1,)]


def test_late_data_take_the_place_of_an_estimate(connection: sa.Connection) -> None:
    estimated(connection, with_hole(5))
    assert bill(connection) == [("", 24, 1, 24)]
    collect(connection, site="norway", day=HOLE, machines={"NO-0001": Hours(wh=(1_000,) * 23 + (400,))})
    rate(connection, "2026-02")
    assert bill(connection) == [("", D("23.4"), 1, D("23.4"))]
    assert ask(connection, "select count(*) from albacore.machine_estimate where until_run is null") == [(0,)]


def test_an_estimate_behind_a_document_is_kept_with_it(connection: sa.Connection) -> None:
    """A neighbour is corrected: the estimate changes, the document's machine-days don't, and the difference shows."""
    estimated(connection, with_hole(5))
    freeze_ready(connection)
    around = even("norway", HOLE, 2_000)
    for side in (-1, 1):
        collect(connection, site="norway", day=HOLE + timedelta(days=side), machines={"NO-0001": around})
    rate(connection, "2026-02")
    found = ask(
        connection,
        "select revision, sum(wh)::int from albacore.customer_month"
        " join albacore.billing_record using (customer_month_id) group by 1 order by 1",
    )
    assert found == [(1, 24_000), (2, 25_000)]
