"""What Xero says of payments, and the reconciliation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from albacore_pipeline.invoicing.differences import Difference
from albacore_pipeline.invoicing.payments import Sweep, reconcile, watch_payments
from albacore_pipeline.xero.interface import AnswerLost, Status
from albacore_pipeline_tests.invoicing.fakes import Office, later

NUMBER, OTHER = "ALB-2025-000001", "ALB-2025-000002"


@pytest.fixture
def office(office: Office) -> Office:
    office.write_documents()
    office.issue()
    return office


def sweep(office: Office) -> Sweep:
    return watch_payments(engine=office.engine, xero=office.xero, clock=office.clock)


def watch(office: Office) -> list[str]:
    return list(sweep(office).changed)


def compare(office: Office) -> list[Difference]:
    return reconcile(engine=office.engine, xero=office.xero, clock=office.clock)


def payments(office: Office) -> list[Any]:
    return office.ask("select kind, amount from report.payments order by kind, amount")


def test_a_payment_is_noted_once(office: Office) -> None:
    assert watch(office) == []
    office.xero.pay(NUMBER, "200")
    assert watch(office) == [NUMBER]
    assert watch(office) == []
    assert payments(office) == [("payment", 200)]
    assert office.ask("select state, amount_due from report.invoices") == [("issued", 300)]
    office.xero.pay(NUMBER, "300")
    assert watch(office) == [NUMBER]
    assert office.ask("select state, amount_due from report.invoices") == [("paid", 0)]


def test_a_payment_that_goes_back_is_a_row_of_its_own(office: Office) -> None:
    payment = office.xero.pay(NUMBER, "500")
    watch(office)
    office.xero.take_back(NUMBER, payment)
    compare(office)
    assert payments(office) == [("payment", 500), ("reversal", -500)]
    assert office.ask("select state, amount_due from report.invoices") == [("issued", 500)]
    later(office.clock)
    compare(office)
    assert payments(office) == [("payment", 500), ("reversal", -500)]


def test_a_payment_that_goes_back_while_another_comes_is_not_missed(office: Office) -> None:
    first = office.xero.pay(NUMBER, "200")
    watch(office)
    office.xero.take_back(NUMBER, first)
    office.xero.pay(NUMBER, "500")
    assert watch(office) == [NUMBER]
    assert payments(office) == [("payment", 200), ("payment", 500), ("reversal", -200)]


def test_no_word_from_xero_changes_nothing(office: Office) -> None:
    def down(_: str) -> None:
        raise AnswerLost("Xero answered 500")

    before = office.ask("select amount_due, as_of from report.invoices")
    office.xero.before = down
    later(office.clock)
    with pytest.raises(AnswerLost):
        watch(office)
    assert office.ask("select amount_due, as_of from report.invoices") == before


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.DRAFT, "issued"),
        (Status.SUBMITTED, "issued"),
        (Status.AUTHORISED, "issued"),
        (Status.PAID, "paid"),
        (Status.VOIDED, "voided"),
        (Status.DELETED, "voided"),
    ],
)
def test_every_status_in_xero_is_a_state_here(office: Office, status: Status, state: str) -> None:
    office.xero.documents[NUMBER].status = status
    watch(office)
    assert office.documents() == {NUMBER: state}
    gone = [Difference(number=NUMBER, field="status", ours="live", xeros="gone")]
    assert compare(office) == ([] if status in (Status.AUTHORISED, Status.PAID) else gone)


def test_a_document_that_can_not_be_read_is_told_and_keeps_back_no_other(two: Office) -> None:
    office = two
    office.xero.unreadable = {f"id-{NUMBER}"}
    for number in (NUMBER, OTHER):
        office.xero.pay(number, "500")
    told = sweep(office)
    assert (list(told.changed), list(told.missing), set(told.read)) == ([OTHER], [NUMBER], {OTHER})
    assert told.reasons == (f"{NUMBER}: Xero's answer can't be read: Date: not a date",)
    assert office.documents() == {NUMBER: "issued", OTHER: "paid"}
    assert compare(office) == [Difference(number=NUMBER, field="readable", ours="yes", xeros="no")]


def test_a_document_that_was_renamed_in_xero_is_still_read_and_named(office: Office) -> None:
    office.xero.documents[NUMBER].change(number=f"{NUMBER}-old")
    office.xero.pay(NUMBER, "500")
    assert watch(office) == [NUMBER]
    assert office.documents() == {NUMBER: "paid"}
    assert compare(office) == [Difference(number=NUMBER, field="number", ours=NUMBER, xeros=f"{NUMBER}-old")]


def test_a_reconciliation_names_what_differs_while_it_lasts(office: Office) -> None:
    assert compare(office) == []
    document = office.xero.documents[NUMBER]
    document.total = Decimal("499")
    document.change(due_on=date(2025, 12, 1))
    later(office.clock)
    assert compare(office) == [
        Difference(number=NUMBER, field="total", ours="500.00", xeros="499.00"),
        Difference(number=NUMBER, field="due date", ours="2025-11-15", xeros="2025-12-01"),
    ]
    later(office.clock)
    compare(office)
    assert len(office.ask("select * from report.reconciliation")) == 2, "each once while it lasts"
    document.total = Decimal("500")
    document.change(due_on=date(2025, 11, 15))
    later(office.clock)
    assert compare(office) == []
    assert office.ask("select * from report.reconciliation") == []


def test_a_document_that_xero_lost_or_voided_is_named(two: Office) -> None:
    two.xero.documents[NUMBER].status = Status.VOIDED
    assert compare(two) == [Difference(number=NUMBER, field="status", ours="live", xeros="gone")]
    assert two.documents() == {NUMBER: "voided", OTHER: "issued"}
    later(two.clock)
    del two.xero.documents[NUMBER]
    assert compare(two) == [Difference(number=NUMBER, field="exists", ours="yes", xeros="no")]


def test_a_reconciliation_that_is_shown_nothing_says_nothing(two: Office) -> None:
    two.xero.empty = {"invoices_by_id"}
    with pytest.raises(AnswerLost, match=f"none of the documents that it was asked for: {NUMBER}, {OTHER}"):
        compare(two)
    assert two.ask("select * from report.reconciliation") == []
    assert two.ask("select * from albacore.reconciliation_run") == []
