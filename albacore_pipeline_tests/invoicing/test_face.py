"""What the runs of `invoices` and `payments` show."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import dagster as dg
import pytest

from albacore_pipeline.invoicing.assets import document_table, payments
from albacore_pipeline.invoicing.queries import TableRow
from albacore_pipeline_tests.invoicing.fakes import Office

ROW = TableRow(
    number="ALB-1", kind="credit_note", customer="acme|x", currency="NOK", total=Decimal("-1234.5"), state="issued",
    payment_link="https://pay.example/1", xero_id="id-1",
)  # fmt: skip
XERO = "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=id-1"


def shown(row: TableRow, *, in_xero: bool) -> str:
    return document_table([row], in_xero=in_xero).splitlines()[2]


def test_a_document_is_shown_with_what_a_reader_may_open() -> None:
    assert shown(ROW, in_xero=True) == (
        rf"| ALB-1 | credit\_note | acme\|x | -1,234.50 NOK | issued | [pay](https://pay.example/1) [Xero]({XERO}) |"
    )


def test_no_page_of_xero_is_offered_for_a_document_that_is_not_there() -> None:
    assert XERO not in shown(ROW, in_xero=False)
    assert shown(replace(ROW, payment_link=None, xero_id=None), in_xero=True).endswith("| issued |  |")


def read_payments(office: Office) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The asset, over an office."""
    platform = SimpleNamespace(engine=office.engine, clock=office.clock)
    result = payments(platform=platform, xero=SimpleNamespace(open=lambda: office.xero))
    assert isinstance(result, dg.MaterializeResult)
    return result


def test_the_run_of_payments_shows_money_that_is_set_against_nothing(two: Office) -> None:
    two.xero.receive("1070.5")
    two.xero.receive("20", contact="id-stranger")
    metadata = read_payments(two).metadata or {}
    shown_money = metadata["unapplied"]
    assert isinstance(shown_money, dg.MarkdownMetadataValue)
    assert str(shown_money.value).splitlines()[2:] == [
        "| acme | overpayment |  | 1,070.50 NOK |",
        "| nobody's | overpayment |  | 20.00 NOK |",
    ]
    assert metadata["read"] == 2


def test_a_run_that_could_not_read_a_document_fails_and_names_it(two: Office) -> None:
    two.xero.short = ["invoices_by_id"]
    with pytest.raises(dg.Failure, match="1 documents were not read, 1 were: ALB-2025-000002: Xero's answer lacks it"):
        read_payments(two)
