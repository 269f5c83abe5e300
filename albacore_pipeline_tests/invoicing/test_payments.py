"""What Xero says of payments, and the reconciliation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from albacore_pipeline.invoicing.payments import Difference, reconcile, watch_payments
from albacore_pipeline.xero.client import AnswerLost
from albacore_pipeline_tests.invoicing.fakes import Office, later

NUMBER = "ALB-2025-000001"


@pytest.fixture
def office(office: Office) -> Office:
    office.write_documents()
    office.issue()
    return office


def watch(office: Office) -> list[str]:
    return watch_payments(engine=office.engine, xero=office.xero, clock=office.clock)


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


def test_a_reconciliation_names_what_differs_while_it_lasts(office: Office) -> None:
    assert compare(office) == []
    document = office.xero.documents[NUMBER]
    document |= {"Total": Decimal("499"), "DueDate": "2025-12-01"}
    later(office.clock)
    assert compare(office) == [
        Difference(number=NUMBER, field="total", ours="500.00", xeros="499.00"),
        Difference(number=NUMBER, field="due date", ours="2025-11-15", xeros="2025-12-01"),
    ]
    later(office.clock)
    compare(office)
    assert len(office.ask("select * from report.reconciliation")) == 2, "each once while it lasts"
    document |= {"Total": Decimal("500"), "DueDate": "2025-11-15"}
    later(office.clock)
    assert compare(office) == []
    assert office.ask("select * from report.reconciliation") == []


def test_a_document_that_xero_lost_or_voided_is_named(office: Office) -> None:
    office.xero.documents[NUMBER]["Status"] = "VOIDED"
    assert compare(office) == [Difference(number=NUMBER, field="status", ours="live", xeros="gone")]
    assert office.documents() == {NUMBER: "voided"}
    later(office.clock)
    del office.xero.documents[NUMBER]
    assert compare(office) == [Difference(number=NUMBER, field="exists", ours="yes", xeros="no")]
