"""The way to a month does not matter: order of days, sites and loads, and how often it was rated in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline_tests.billing.checks import breaks
from albacore_pipeline_tests.small_world import ask, assignment, collect, customer, open_sites, rate, register, tariff

FIRST = date(2026, 2, 10)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
SITES = {"norway": ["NO-0001", "NO-0002"], "ethiopia": ["ET-0001"]}
CUSTOMERS = [customer("acme"), customer("bolt")]
WINDOW = (str(DAYS[0]), str(DAYS[-1]))
LOADS = {
    "first": [assignment(name, "acme", *WINDOW) for name in ("NO-0001", "NO-0002", "ET-0001")],
    "wrong": [assignment("NO-0001", "bolt", *WINDOW)],
    "last": [
        assignment("NO-0001", "acme", str(DAYS[0]), str(DAYS[1])),
        assignment("NO-0001", "bolt", str(DAYS[2]), str(DAYS[3])),
        assignment("NO-0002", "acme", *WINDOW),
        assignment("ET-0001", "bolt", *WINDOW),
    ],
}

readings = [("collect", site, day) for site in SITES for day in DAYS]
loads = st.lists(st.sampled_from(sorted(LOADS)), max_size=2).map(
    lambda names: [("load", name) for name in (*names, "last")]
)
steps = st.tuples(st.permutations(readings), loads, st.lists(st.integers(0, 12), max_size=3))


def take(connection: sa.Connection, step: Sequence[Any]) -> None:
    if step[0] == "load":
        register(connection, customers=CUSTOMERS, assignments=LOADS[step[1]], tariffs=[tariff("flat", "0.5")])
    else:
        _, site, day = step
        collect(connection, site=site, day=day, machines=dict.fromkeys(SITES[site], 1000 + day.day))


def books(connection: sa.Connection) -> list[Any]:
    return ask(
        connection,
        "select customer, state, site, machine, from_day, to_day, quantity, amount"
        " from report.customer_months left join report.billing_records using (month, customer)"
        " where state <> 'ready' or quantity is not null order by 1, 3, 4, 5",
    )


@settings(max_examples=4)
@given(way=steps)
def test_every_way_leads_to_the_same_books(scratch_engine: sa.Engine, way: Any) -> None:
    days, registries, ratings = way
    with scratch_engine.connect() as connection:
        open_sites(connection, *SITES, starts_on=FIRST)
        for step in (("load", "last"), *readings):
            take(connection, step)
        rate(connection, "2026-02")
        wanted = books(connection)
        connection.rollback()

        open_sites(connection, *SITES, starts_on=FIRST)
        order = [*registries[:1], *days, *registries[1:]]
        for number, step in enumerate(order):
            take(connection, step)
            if number in ratings:  # a half run in between
                rate(connection, "2026-02")
        rate(connection, "2026-02")
        assert books(connection) == wanted
        assert breaks(connection, first=FIRST, last=DAYS[-1]) == []
        connection.rollback()
    assert len(wanted) == 4
