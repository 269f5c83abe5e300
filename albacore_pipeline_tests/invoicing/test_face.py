"""What the run of `invoices` shows of its documents."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from albacore_pipeline.invoicing.assets import document_table
from albacore_pipeline.invoicing.queries import TableRow

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
