"""What the run of `billing_records` shows of a month."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from albacore_pipeline.billing.assets import SHOWN, preview_table
from albacore_pipeline.billing.queries import PreviewRow

ROW = PreviewRow(
    customer="acme", revision=1, state="ready", waits="review", reason="a | b", currency="NOK", kwh=Decimal(3000),
    price=Decimal("0.5"), total=Decimal(1500), kwh_before=Decimal(1500), price_before=None, total_before=Decimal(2000),
)  # fmt: skip


def test_a_month_stands_beside_the_months_before() -> None:
    assert preview_table([ROW]).splitlines()[2] == (
        r"| acme | 1 | ready (review) | 3,000.000 (+100 %) | 0.5000 | 1,500.00 (-25 %) | NOK | a \| b |"
    )


def test_what_is_not_known_is_empty() -> None:
    blocked = replace(ROW, state="blocked", waits=None, currency=None, kwh=None, price=None, total=None)
    assert preview_table([blocked]).splitlines()[2] == r"| acme | 1 | blocked |  |  |  |  | a \| b |"


def test_a_long_list_says_how_many_it_leaves_out() -> None:
    assert preview_table([ROW] * (SHOWN + 2)).endswith("\n\n2 more in report.customer_months")
