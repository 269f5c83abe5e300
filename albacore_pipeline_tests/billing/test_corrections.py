"""What has a document never changes: corrections stand beside it, and fall away when they are no longer ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.store import months_to_bill
from albacore_pipeline_tests.billing.checks import breaks, freeze_ready
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.small_world import (
    NOW,
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

OCTOBER, FIFTH = "2025-10", date(2025, 10, 5)
CUSTOMERS, TARIFFS = [customer("acme"), customer("bolt")], [tariff("flat", "0.5")]
MACHINES = [assignment("NO-0001", "acme", "2025-10-01"), assignment("NO-0002", "bolt", "2025-10-01")]
NAMES = ["NO-0001", "NO-0002"]


@pytest.fixture(scope="module")
def october(scratch_engine: sa.Engine) -> Iterator[sa.Connection]:
    """Both machines used 1 kWh a day; the month is rated and has its documents. Never committed."""
    with scratch_engine.connect() as connection:
        open_sites(connection, "norway")
        register(connection, customers=CUSTOMERS, assignments=MACHINES, tariffs=TARIFFS)
        collect_month(connection, month=OCTOBER, machines=NAMES)
        rate(connection, OCTOBER)
        freeze_ready(connection)
        yield connection
        connection.rollback()


@pytest.fixture
def connection(october: sa.Connection) -> Iterator[sa.Connection]:
    """The connection of that October, which every test leaves sound and then gets back as it was."""
    savepoint = october.begin_nested()
    try:
        yield october
        assert breaks(october, first=date(2025, 10, 1), last=date(2025, 10, 31)) == []
    finally:
        savepoint.rollback()


def reread(connection: sa.Connection, wh: int | None, other: int = 1_000) -> None:
    """The site says something else about the fifth."""
    collect(connection, site="norway", day=FIFTH, machines={"NO-0001": wh, "NO-0002": other})


def revisions(connection: sa.Connection, customer: str = "acme") -> list[tuple[Any, ...]]:
    """Revision, state and kWh of a customer's October."""
    return ask(
        connection,
        "select revision, state, sum(wh) * 0.001 from albacore.customer_month"
        " left join albacore.billing_record using (customer_month_id) where customer = :customer"
        " group by revision, state order by revision",
        customer=customer,
    )


def to_bill(connection: sa.Connection, now: str = "2025-11-02T06:00") -> list[str]:
    return [str(month) for month in months_to_bill(connection, now=utc(now))]


@pytest.mark.parametrize(
    "statement",
    [
        "update albacore.billing_record set amount = amount + 1",
        "update albacore.billing_record set line = 7",
        "delete from albacore.billing_record",
        "truncate albacore.billing_record",
        "update albacore.customer_month set content_sha256 = 'x'",
        "update albacore.customer_month set frozen_at = null",
        "update albacore.customer_month set month = '2025-09-01'",
        "delete from albacore.customer_month",
    ],
)
def test_the_database_refuses_to_change_what_has_a_document(connection: sa.Connection, statement: str) -> None:
    savepoint = connection.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match=r"never change|append-only"):
        connection.execute(sa.text(statement))
    savepoint.rollback()


def test_records_can_not_be_added_to_what_has_a_document(connection: sa.Connection) -> None:
    savepoint = connection.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match=r"never change"):
        connection.execute(
            sa.text(
                "insert into albacore.billing_record"
                " (customer_month_id, from_day, to_day, price_kind, tariff, quantity, unit, unit_price, currency,"
                " amount) select customer_month_id, from_day, to_day, 'minimum', tariff, 1, 'month', 9, currency, 9"
                " from albacore.billing_record limit 1"
            )
        )
    savepoint.rollback()


def test_an_unchanged_month_is_kept(connection: sa.Connection) -> None:
    assert [verdict.action for verdict in rate(connection, OCTOBER).values()] == ["keep", "keep"]
    assert revisions(connection) == [(1, "invoiced", 31)]


def test_a_corrected_day_makes_a_revision_beside_the_old_one(connection: sa.Connection) -> None:
    reread(connection, 3_000)
    verdicts = rate(connection, OCTOBER)
    assert (verdicts["acme"].action, verdicts["acme"].revision, verdicts["acme"].amount) == ("open", 2, Decimal("16.5"))
    assert verdicts["bolt"].action == "keep"
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", 33)]
    assert revisions(connection, "bolt") == [(1, "invoiced", 31)]


def test_between_the_reading_and_the_rating_the_difference_is_unbilled(connection: sa.Connection) -> None:
    reread(connection, 600)
    assert ask(connection, "select machine, day, kwh, reason from report.unbilled") == [
        ("NO-0001", FIFTH, Decimal("-0.4"), "pending_correction")
    ]
    rate(connection, OCTOBER)
    assert ask(connection, "select * from report.unbilled") == []


def test_a_day_that_goes_missing_after_its_invoice_is_a_negative_pending_correction(connection: sa.Connection) -> None:
    reread(connection, None)
    assert rate(connection, OCTOBER)["acme"].blocked
    assert ask(connection, "select machine, kwh, reason from report.unbilled") == [
        ("NO-0001", -1, "pending_correction")
    ]
    assert revisions(connection) == [(1, "invoiced", 31), (2, "blocked", None)]


def test_a_correction_that_is_not_out_yet_is_rated_anew(connection: sa.Connection) -> None:
    reread(connection, 3_000)
    rate(connection, OCTOBER)
    reread(connection, 4_000)
    assert rate(connection, OCTOBER)["acme"].action == "rewrite"
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", 34)]


def test_corrected_and_corrected_back_leaves_nothing(connection: sa.Connection) -> None:
    reread(connection, 3_000)
    rate(connection, OCTOBER)
    reread(connection, 1_000)
    assert rate(connection, OCTOBER)["acme"].action == "withdraw"
    assert revisions(connection) == [(1, "invoiced", 31)]
    assert to_bill(connection) == []


def test_corrected_back_after_the_second_document_makes_a_third(connection: sa.Connection) -> None:
    reread(connection, 3_000)
    rate(connection, OCTOBER)
    freeze_ready(connection)
    reread(connection, 1_000)
    rate(connection, OCTOBER)
    assert revisions(connection) == [(1, "invoiced", 31), (2, "corrected", 33), (3, "ready", 31)]


def test_a_backdated_handover_moves_energy_from_one_customer_to_the_other(connection: sa.Connection) -> None:
    moved = [
        assignment("NO-0001", "acme", "2025-10-01", "2025-10-20"),
        assignment("NO-0001", "bolt", "2025-10-21"),
        assignment("NO-0002", "bolt", "2025-10-01"),
    ]
    register(connection, customers=CUSTOMERS, assignments=moved, tariffs=TARIFFS)
    assert to_bill(connection) == [OCTOBER]
    rate(connection, OCTOBER)
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", 20)]
    assert revisions(connection, "bolt") == [(1, "invoiced", 31), (2, "ready", 42)]
    assert to_bill(connection) == []


def test_a_correction_says_what_changed(connection: sa.Connection) -> None:
    reread(connection, 1_500)
    rate(connection, OCTOBER)
    question = "select customer, reason from albacore.customer_month where revision = 2 order by 1"
    assert ask(connection, question) == [("acme", "new readings of 2025-10-05 at norway")]
    moved = [
        assignment("NO-0001", "acme", "2025-10-01", "2025-10-20"),
        MACHINES[1],
        assignment("NO-0001", "bolt", "2025-10-21"),
    ]
    register(connection, customers=CUSTOMERS, assignments=moved, tariffs=TARIFFS)
    rate(connection, OCTOBER)
    assert ask(connection, question) == [
        ("acme", "new readings of 2025-10-05 at norway; registry version 2 (test)"),
        ("bolt", "registry version 2 (test)"),  # whose own machine reads as before
    ]


def test_a_customer_who_loses_all_is_corrected_to_nothing(connection: sa.Connection) -> None:
    moved = [assignment(name, "bolt", "2025-10-01") for name in NAMES]
    register(connection, customers=CUSTOMERS, assignments=moved, tariffs=TARIFFS)
    verdict = rate(connection, OCTOBER)["acme"]
    assert (verdict.action, verdict.amount, verdict.currency) == ("open", Decimal(0), "NOK")
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", None)]


def test_a_handover_to_a_customer_who_is_blocked_bills_nothing_twice(connection: sa.Connection) -> None:
    """Bolt takes a machine, but has another one without data: acme is credited, and bolt's part is pending."""
    moved = [assignment(name, "bolt", "2025-10-01") for name in (*NAMES, "NO-0003")]
    register(connection, customers=CUSTOMERS, assignments=moved, tariffs=TARIFFS)
    rate(connection, OCTOBER)
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", None)]
    assert revisions(connection, "bolt") == [(1, "invoiced", 31), (2, "blocked", None)]
    assert ask(connection, "select machine, customer, sum(kwh), reason from report.unbilled group by 1, 2, 4") == [
        ("NO-0001", "bolt", 31, "customer_blocked"),
        ("NO-0003", "bolt", None, "customer_blocked"),  # its site does not know it
    ]


def test_a_handover_from_a_customer_who_is_blocked_shows_as_pending(connection: sa.Connection) -> None:
    """Bolt is billed for the machine while acme's credit waits for other data: that it is billed twice shows."""
    moved = [
        assignment("NO-0001", "bolt", "2025-10-01"),
        assignment("NO-0002", "bolt", "2025-10-01"),
        assignment("NO-0003", "acme", "2025-10-01"),
    ]
    register(connection, customers=CUSTOMERS, assignments=moved, tariffs=TARIFFS)
    rate(connection, OCTOBER)
    assert ask(connection, "select machine, sum(kwh), reason from report.unbilled group by 1, 3") == [
        ("NO-0001", -31, "pending_correction"),
        ("NO-0003", None, "customer_blocked"),
    ]


def test_a_backdated_price_corrects_who_pays_it(connection: sa.Connection) -> None:
    prices = [*TARIFFS, tariff("better", "0.4", "2025-10-22", customer="bolt")]
    register(connection, customers=CUSTOMERS, assignments=MACHINES, tariffs=prices)
    verdicts = rate(connection, OCTOBER)
    assert (verdicts["acme"].action, verdicts["bolt"].action) == ("keep", "open")
    assert verdicts["bolt"].amount == Decimal("14.5")  # 21 x 0.5 + 10 x 0.4


# When there is something to do


def test_after_rating_nothing_is_left_to_do(connection: sa.Connection) -> None:
    assert to_bill(connection) == []


def test_a_month_is_due_when_it_is_over_at_every_site(connection: sa.Connection) -> None:
    collect_month(connection, month="2025-11", machines=NAMES)
    assert to_bill(connection, "2025-11-30T22:59") == []
    assert to_bill(connection, "2025-11-30T23:00") == [], "by the calendar in UTC it is still November"
    assert to_bill(connection, "2025-12-01T00:00") == ["2025-11"]


def test_an_unchanged_rereading_triggers_nothing(connection: sa.Connection) -> None:
    reread(connection, 1_000)
    assert to_bill(connection) == []


def test_a_changed_rereading_names_the_month(connection: sa.Connection) -> None:
    reread(connection, 1_001)
    assert to_bill(connection) == [OCTOBER]
    rate(connection, OCTOBER)
    assert to_bill(connection) == []


def test_a_rereading_that_waits_for_a_person_names_it_once_it_is_accepted(connection: sa.Connection) -> None:
    collect(connection, site="norway", day=FIFTH, machines={"NO-0001": 9_000, "NO-0002": 1_000}, accept=False)
    assert to_bill(connection) == []
    reread(connection, 9_001)
    assert to_bill(connection) == [OCTOBER]


def test_a_new_registry_names_every_month_that_was_rated(connection: sa.Connection) -> None:
    register(
        connection, customers=CUSTOMERS, assignments=MACHINES, tariffs=[*TARIFFS, tariff("x", "1", currency="EUR")]
    )
    assert to_bill(connection) == [OCTOBER]
    rate(connection, OCTOBER)
    assert to_bill(connection) == []
    assert revisions(connection) == [(1, "invoiced", 31)]


def test_a_blocked_month_is_tried_every_day(connection: sa.Connection) -> None:
    collect_month(connection, month="2025-11", machines=["NO-0002"])
    rate(connection, "2025-11")
    assert to_bill(connection, "2025-12-01T06:00") == ["2025-11"]
    assert to_bill(connection, "2025-12-02T06:00") == ["2025-11"]


def test_a_correction_that_is_blocked_is_tried_every_day_too(connection: sa.Connection) -> None:
    """Else a gap that a person accepts for it would never be noticed."""
    reread(connection, None)
    rate(connection, OCTOBER)
    assert to_bill(connection) == [OCTOBER]
    queries.accept_gap(
        connection, site="norway", machines=["NO-0001"], first_day=FIFTH, last_day=FIFTH, reason="burnt", actor="anna",
        now=NOW,
    )  # fmt: skip
    rate(connection, OCTOBER)
    assert revisions(connection) == [(1, "invoiced", 31), (2, "ready", 30)]
    assert to_bill(connection) == []


def test_months_are_named_in_order(connection: sa.Connection) -> None:
    collect_month(connection, month="2025-11", machines=NAMES)
    reread(connection, 1_001)
    assert to_bill(connection, "2025-12-03T00:00") == [OCTOBER, "2025-11"]
