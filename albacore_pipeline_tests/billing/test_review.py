"""A month that is out of line with the months before waits for a person, who releases it with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import dagster as dg
import pytest
import sqlalchemy as sa

from albacore_pipeline.database import connect
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.jobs import definitions
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.small_world import (
    NOW,
    ask,
    assignment,
    collect,
    customer,
    even,
    open_sites,
    rate,
    register,
    tariff,
)

ACME = [customer("acme")]


def october_and_november(connection: sa.Connection, wh: int, price: str = "1", factor: str = "3") -> None:
    open_sites(connection, "norway")
    policy = Policy(review_factor=Decimal(factor))
    rows = [assignment("NO-0001", "acme", "2025-10-30", "2025-11-02")]
    prices = [tariff("old", "1", to_day="2025-10-31"), tariff("new", price, "2025-11-01")]
    register(connection, customers=ACME, assignments=rows, tariffs=prices, policy=policy)
    for day, used in (
        (date(2025, 10, 30), 1_000),
        (date(2025, 10, 31), 1_000),
        (date(2025, 11, 1), wh),
        (date(2025, 11, 2), wh),
    ):
        collect(connection, site="norway", day=day, machines={"NO-0001": even("norway", day, used)})
    rate(connection, "2025-10")
    rate(connection, "2025-11")


@pytest.mark.parametrize(
    ("wh", "price", "said"),
    [
        (2_999, "1", None),
        (3_001, "1", "kWh per machine-day is 3.00 times the months before, the total is 3.00 times the months before"),
        (332, "1", "kWh per machine-day is 0.33 times the months before, the total is 0.33 times the months before"),
        (1_000, "4", "the price per kWh is 4.00 times the months before, the total is 4.00 times the months before"),
        (
            250,
            "4",
            "kWh per machine-day is 0.25 times the months before, the price per kWh is 4.00 times the months before",
        ),
    ],
)
def test_a_month_out_of_line_waits_for_a_person(
    connection: sa.Connection, wh: int, price: str, said: str | None
) -> None:
    october_and_november(connection, wh, price)
    found = ask(connection, "select month, waits, reason from report.customer_months order by 1")
    november = ("2025-11", "review", f"to be reviewed: {said}") if said else ("2025-11", None, "")
    assert found == [("2025-10", None, ""), november]
    waiting = {row.month for row in queries.ready(connection, month=None, today=NOW.date())}
    assert waiting == {date(2025, 10, 1)} | (set() if said else {date(2025, 11, 1)})


def test_no_review_where_the_policy_wants_none(connection: sa.Connection) -> None:
    october_and_november(connection, 60_000, factor="0")
    assert {waits for (waits,) in ask(connection, "select waits from report.customer_months")} == {None}


def test_what_was_released_stays_released_while_it_is_the_same(connection: sa.Connection) -> None:
    october_and_november(connection, 9_000)
    november, finance = date(2025, 11, 1), "finance@albacore.example"
    assert queries.release_month(connection, customer="acme", month=november, actor=finance) == 1
    rate(connection, "2025-11")
    assert state_of(connection, "2025-11") == (None, "finance@albacore.example")
    collect(
        connection, site="norway", day=date(2025, 11, 2), machines={"NO-0001": even("norway", date(2025, 11, 2), 9_500)}
    )
    rate(connection, "2025-11")
    assert state_of(connection, "2025-11") == ("review", None), "other content: somebody looks again"


def state_of(connection: sa.Connection, month: str) -> tuple[str | None, str | None]:
    ((waits, by),) = ask(
        connection, "select waits, released_by from albacore.customer_month where month = :month", month=f"{month}-01"
    )
    return waits, by


def test_a_person_releases_it_in_the_launchpad(
    make_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_database()
    monkeypatch.setenv("ALBACORE_DATABASE_URL", url)
    engine = connect(url)
    with engine.begin() as connection:
        october_and_november(connection, 9_000)

    everything = dg.Definitions.merge(definitions, dg.Definitions(resources={"platform": PlatformResource()}))

    def release(**form: str) -> dg.ExecuteInProcessResult:
        config = {"actor": "finance@albacore.example", "reason": "a new rack", **form}
        return everything.resolve_job_def("release_document").execute_in_process(
            run_config={"ops": {"perform_release_document": {"config": config}}},
            raise_on_error=False,
        )

    assert not release().success, "neither a document nor a month is named"
    assert not release(customer="acme", month="2025-10").success, "October is not held"
    assert release(customer="acme", month="2025-11").success
    assert not release(customer="acme", month="2025-11").success, "it is released already"
    with engine.connect() as connection:
        assert state_of(connection, "2025-11") == (None, "finance@albacore.example")
        said = ask(
            connection,
            "select actor, action, subject, details ->> 'reason' from report.audit order by seq desc limit 1",
        )
        assert said == [("finance@albacore.example", "release_document", "acme 2025-11", "a new rack")]
        assert {row.month for row in queries.ready(connection, month=None, today=NOW.date())} == {
            date(2025, 10, 1), date(2025, 11, 1),
        }  # fmt: skip
