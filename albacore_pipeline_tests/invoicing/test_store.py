"""Documents in the database: numbered without a gap, written once, frozen with their records."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.oversight import queries as oversight
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import OCTOBER, Office, one_day
from albacore_pipeline_tests.small_world import customer


def test_a_document_is_written_with_all_that_hangs_on_it(office: Office) -> None:
    (written,) = office.write_documents()
    assert (written.number, written.kind, written.customer, written.total) == (
        "ALB-2025-000001", "invoice", "acme", Decimal("500"),
    )  # fmt: skip
    assert office.ask("select issued_on::text, due_on::text, state from report.invoices") == [
        ("2025-11-01", "2025-11-15", "prepared")
    ]
    assert office.ask("select payload ->> 'reference', payload ->> 'total' from albacore.document") == [
        ("2025-10 acme r1", "500.00")
    ]
    assert office.ask("select number, line from report.billing_records") == [("ALB-2025-000001", 1)]
    assert office.effects() == {"document:ALB-2025-000001": "prepared"}
    (statement,) = office.archive.kept.values()
    assert statement.decode().splitlines()[1] == "norway,NO-0001,2025-10-31,1000.000,24,24,0,measured"


def test_writing_again_writes_nothing(office: Office) -> None:
    office.write_documents()
    assert office.write_documents() == []


def test_a_correction_has_a_document_of_its_own(office: Office) -> None:
    office.write_documents()
    office.correct("NO-0001", 900_000)
    (note,) = office.write_documents()
    assert (note.number, note.kind, note.total) == ("ALB-2025-000002", "credit_note", Decimal(-50))
    office.correct("NO-0001", 940_000)
    (more,) = office.write_documents()
    assert (more.kind, more.total) == ("supplement", Decimal(20))
    assert office.ask("select description from report.invoice_lines where number = :number", number=more.number) == [
        ("Correction of ALB-2025-000001: Energy, Norway, October 2025: 40.000 kWh x 0.5 NOK",)
    ]
    with office.engine.connect() as connection:
        days = {"first_day": OCTOBER.first_day, "last_day": OCTOBER.last_day}
        assert oversight.lines_against_documents(connection, **days) == []
        assert oversight.numbers(connection) == []
        broken = oversight.records_against_lines(connection, **days, minor_units=2, currencies=["NOK"])
        assert broken == []


def test_a_month_that_costs_nothing_is_closed_without_a_number(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), wh=0)
    assert office.write_documents() == []
    assert office.ask("select state, reason from report.customer_months") == [("invoiced", "nothing to bill")]
    office.correct("NO-0001", 1_000)
    assert [(document.number, document.kind) for document in office.write_documents()] == [
        ("ALB-2025-000001", "invoice")
    ]


def test_numbers_count_by_entity_and_year(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    machines = [one_day("NO-0001", "acme"), one_day("NO-0002", "bolt"), one_day("FI-0001", "cask")]
    office.open_books(*machines, customers=[customer("acme"), customer("bolt", entity="ALE"), customer("cask")])
    numbers = {document.customer: document.number for document in office.write_documents()}
    assert numbers == {"acme": "ALB-2025-000001", "bolt": "ALE-2025-000001", "cask": "ALB-2025-000002"}
    clock.at = utc("2026-01-01T06:00")
    office.correct("FI-0001", 2_000_000)
    assert [document.number for document in office.write_documents()] == ["ALB-2026-000001"]


def test_a_number_that_is_rolled_back_is_used_by_the_next(office: Office) -> None:
    with office.engine.connect() as connection:
        rate_month(connection, month=OCTOBER, run_id="test", now=office.clock.now())
        prepare_documents(
            connection, month=OCTOBER, archive=office.archive, sales_account="200", now=office.clock.now()
        )
        connection.rollback()
    assert [document.number for document in office.write_documents()] == ["ALB-2025-000001"]


@pytest.mark.parametrize("first_fails", [False, True])
def test_two_writers_leave_no_number_out_and_use_none_twice(
    engine: sa.Engine, clock: FrozenClock, first_fails: bool
) -> None:
    """Acme's month and bolt's are written by two transactions at once; the first may fail after it took its number."""
    office = Office(engine=engine, clock=clock)
    machines = [one_day("NO-0001", "acme"), one_day("FI-0001", "bolt")]
    office.open_books(*machines)
    with engine.begin() as connection:
        rate_month(connection, month=OCTOBER, run_id="test", now=clock.now())
    took, go = threading.Event(), threading.Event()

    def first() -> None:
        with engine.connect() as connection:
            connection.execute(sa.text("select from albacore.customer_month where customer = 'acme' for update"))
            queries.reserve_numbers(connection, entity="ALB", year=2025, count=1)
            took.set()
            go.wait()
            connection.rollback() if first_fails else connection.commit()

    numbers: list[str] = []

    def second() -> None:
        took.wait()
        numbers.extend(document.number for document in office.write_documents())

    workers = [threading.Thread(target=first), threading.Thread(target=second)]
    for worker in workers:
        worker.start()
    took.wait()
    while not office.ask(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    ):
        pass  # until the second one waits for the first
    go.set()
    for worker in workers:
        worker.join()
    start = 1 if first_fails else 2
    assert numbers == [f"ALB-2025-{start:06}", f"ALB-2025-{start + 1:06}"]


def test_writers_of_the_same_month_write_it_once(office: Office) -> None:
    with office.engine.begin() as connection:
        rate_month(connection, month=OCTOBER, run_id="test", now=office.clock.now())
    start = threading.Barrier(3)
    written: list[str] = []

    def work() -> None:
        start.wait()
        with office.engine.begin() as connection:
            documents = prepare_documents(
                connection, month=None, archive=office.archive, sales_account="200", now=office.clock.now()
            )
        written.extend(document.number for document in documents)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert written == ["ALB-2025-000001"]


@pytest.mark.parametrize(
    "statement",
    [
        "update albacore.document set total = total + 1, subtotal = subtotal + 1",
        "update albacore.document set number = 'ALB-2025-000009'",
        "update albacore.document set payload = '{}'",
        "update albacore.document set entity = 'ALE'",
        "update albacore.document set due_on = due_on + 1",
        "delete from albacore.document",
        "truncate albacore.document cascade",
        "update albacore.document_line set amount = 1",
        "delete from albacore.document_line",
        "truncate albacore.document_line",
    ],
)
def test_the_database_refuses_to_change_a_document(office: Office, statement: str) -> None:
    office.write_documents()
    with office.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"never changes|append-only"):
        connection.execute(sa.text(statement))
