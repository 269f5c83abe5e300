"""Small corrections ride on the next invoice; without one they become documents after all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.store import Prepared, prepare_documents
from albacore_pipeline.oversight import queries as oversight
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import Office
from albacore_pipeline_tests.small_world import assignment, collect, customer, rate, register, tariff

NOVEMBER = date(2025, 11, 1)
CARRY = Policy(carry_below={"NOK": Decimal(5)}, review_factor=Decimal(0))


@pytest.fixture
def office(engine: sa.Engine, clock: FrozenClock) -> Office:
    """Acme has a machine from the last day of October to the first of November, and its October is invoiced."""
    office = Office(engine=engine, clock=clock)
    office.open_books(assignment("NO-0001", "acme", "2025-10-31", "2025-11-01"), policy=CARRY)
    office.write_documents()
    return office


def november(office: Office, wh: int = 1_000_000) -> list[Prepared]:
    """November is over; it is rated, and its documents are written."""
    office.clock.at = utc("2025-12-01T06:00")
    with office.engine.begin() as connection:
        collect(connection, site="norway", day=NOVEMBER, machines={"NO-0001": wh})
        rate(connection, "2025-11")
        return write(office, connection, Month(2025, 11))


def write(office: Office, connection: sa.Connection, month: Month | None) -> list[Prepared]:
    """The documents of a month, or of all."""
    now = office.clock.now()
    return prepare_documents(connection, month=month, archive=office.archive, sales_account="200", now=now)


def months(office: Office) -> list[tuple[Any, ...]]:
    return office.ask("select to_char(month, 'MM'), revision, state, waits from albacore.customer_month order by 1, 2")


def lines(office: Office, number: str) -> Sequence[tuple[str, str, Decimal]]:
    question = "select month, description, amount from report.invoice_lines where number = :number order by line"
    return office.ask(question, number=number)


def is_proved(office: Office) -> bool:
    days = {"first_day": date(2025, 10, 1), "last_day": date(2025, 11, 30)}
    with office.engine.connect() as connection:
        return (
            oversight.lines_against_documents(connection, **days) == []
            and oversight.records_against_lines(connection, **days, minor_units=2, currencies=["NOK"]) == []
        )  # fmt: skip


def due(office: Office) -> list[date]:
    with office.engine.connect() as connection:
        return queries.due_months(connection, now=office.clock.now(), live=False, live_from="", numbers=[])


def test_a_small_correction_is_a_line_of_the_next_invoice(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    assert office.write_documents() == []
    assert months(office) == [("10", 1, "ready", None), ("10", 2, "ready", "carry")]
    assert due(office) == [], "it waits, and asks for nothing"
    assert office.write_documents() == [], "however often it is looked at"

    (invoice,) = november(office)
    assert (invoice.number, invoice.kind, invoice.total) == ("ALB-2025-000002", "invoice", Decimal("498.00"))
    assert lines(office, invoice.number) == [
        ("2025-11", "Energy, Norway, November 2025: 1,000.000 kWh x 0.5 NOK", Decimal(500)),
        ("2025-10", "Correction of ALB-2025-000001: Energy, Norway, October 2025: -4.000 kWh x 0.5 NOK", Decimal(-2)),
    ]
    assert months(office)[1] == ("10", 2, "ready", None)
    found = office.ask("select month, number, line from report.billing_records order by month")
    assert found == [("2025-10", invoice.number, 2), ("2025-11", invoice.number, 1)]
    assert is_proved(office)


def test_the_month_counts_as_corrected_once_the_invoice_is_issued(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    office.write_documents()
    november(office)
    for _ in range(3):
        office.issue()
    assert [state for _, _, state, _ in months(office)] == ["invoiced", "corrected", "invoiced"]


def test_a_large_correction_is_a_document_at_once(office: Office) -> None:
    office.correct("NO-0001", 990_000)
    assert [(document.kind, document.total) for document in office.write_documents()] == [("credit_note", Decimal(-5))]


def test_a_correction_of_what_is_carried_starts_from_the_document(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    office.write_documents()
    office.correct("NO-0001", 980_000)
    (note,) = office.write_documents()
    assert (note.kind, note.total) == ("credit_note", Decimal(-10)), "together they are no longer small"
    assert is_proved(office)


def test_a_correction_that_is_taken_back_is_no_line(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    office.write_documents()
    office.correct("NO-0001", 1_000_000)
    office.write_documents()
    (invoice,) = november(office)
    assert invoice.total == Decimal(500)
    assert len(lines(office, invoice.number)) == 1


def test_a_correction_after_the_carried_one_names_the_first_document(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    office.write_documents()
    november(office)
    office.correct("NO-0001", 900_000)
    (note,) = office.write_documents()
    assert (note.kind, note.total) == ("credit_note", Decimal(-48))
    assert lines(office, note.number)[0][1].startswith("Correction of ALB-2025-000001: ")
    assert is_proved(office)


def test_without_a_next_invoice_it_is_a_document_after_all(office: Office) -> None:
    """Acme's last machine went at the end of October: nothing follows, so nothing is waited for."""
    office.correct("NO-0001", 996_000)
    assert office.write_documents() == []
    with office.engine.begin() as connection:
        rows = [assignment("NO-0001", "acme", "2025-10-31", "2025-10-31")]
        register(
            connection, customers=[customer("acme")], assignments=rows, tariffs=[tariff("flat", "0.5")], policy=CARRY
        )
    assert due(office) == [date(2025, 10, 1)]
    (note,) = office.write_documents()
    assert (note.kind, note.total) == ("credit_note", Decimal(-2))


def test_a_next_month_that_costs_nothing_brings_it_as_a_document(office: Office) -> None:
    office.correct("NO-0001", 996_000)
    office.write_documents()
    (note,) = november(office, wh=0)
    assert (note.kind, note.total) == ("credit_note", Decimal("-2.00"))
    assert [month for month, _, _ in lines(office, note.number)] == ["2025-10"]
    assert is_proved(office)


def test_what_it_would_bring_to_nothing_stays_for_the_next(office: Office) -> None:
    """The invoice is as small as the correction: each by itself, so that both are on a document."""
    office.correct("NO-0001", 996_000)
    office.write_documents()
    (invoice,) = november(office, wh=4_000)
    assert invoice.total == Decimal(2)
    assert months(office)[1] == ("10", 2, "ready", "carry")
    (note,) = office.write_documents()
    assert note.total == Decimal(-2)


def test_two_months_of_small_corrections_ride_together(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    both = ("2025-10-31", "2025-11-01")
    rows = [assignment("NO-0001", "acme", *both), assignment("FI-0001", "acme", *both)]
    rows.append(assignment("FI-0001", "acme", "2025-12-01", "2025-12-01"))
    office.open_books(*rows, policy=CARRY)
    office.write_documents()
    with engine.begin() as connection:
        collect(connection, site="finland", day=NOVEMBER, machines={"FI-0001": 1_000_000})
    november(office)
    office.correct("NO-0001", 996_000)
    with engine.begin() as connection:
        collect(connection, site="finland", day=NOVEMBER, machines={"FI-0001": 1_002_000})
        for month in ("2025-10", "2025-11"):
            rate(connection, month)
        assert write(office, connection, None) == []
        collect(connection, site="finland", day=date(2025, 12, 1), machines={"FI-0001": 1_000_000})
        clock.at = utc("2026-01-01T06:00")
        rate(connection, "2025-12")
        (invoice,) = write(office, connection, None)
    assert [(month, amount) for month, _, amount in lines(office, invoice.number)] == [
        ("2025-12", Decimal(500)), ("2025-10", Decimal(-2)), ("2025-11", Decimal(1)),
    ]  # fmt: skip
    assert is_proved(office)
