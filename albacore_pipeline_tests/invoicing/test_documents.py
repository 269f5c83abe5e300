"""Documents as pure arithmetic: lines, rounding, corrections, and what Xero is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.invoicing.documents import Billing, Draft, Group, draft, draft_document, payload
from albacore_pipeline.invoicing.statement.machine_days import statement_csv
from albacore_pipeline.invoicing.statement.queries import BilledDay
from albacore_pipeline.money import rounded
from albacore_pipeline.periods import Month
from albacore_pipeline.xero.interface import Kind

OCTOBER = Month(2025, 10)


def group(
    quantity: str = "100", price: str = "0.5", *, site: str = "norway", kind: str = "energy", multiplier: str = "1"
) -> Group:
    units = {"energy": "kWh", "machine_days": "machine-day", "minimum": "month"}
    return Group(
        site="" if kind == "minimum" else site,
        price_kind=kind,
        tariff="flat",
        band="",
        unit=units[kind],
        price=Decimal(price),
        multiplier=Decimal(multiplier),
        quantity=Decimal(quantity),
        amount=Decimal(quantity) * Decimal(price),
        wh=int(Decimal(quantity) / Decimal(multiplier) * 1000) if kind == "energy" else 0,
    )


def written(
    groups: Sequence[Group],
    before: Sequence[Group] = (),
    *,
    currency: str = "EUR",
    tax_type: str = "NONE",
    corrects: str = "",
) -> Draft | None:
    change = Billing(customer_month_id=1, month=OCTOBER, groups=groups, before=before, corrects=corrects)
    return draft(change=change, currency=currency, tax_type=tax_type)


def must(document: Draft | None) -> Draft:
    assert document is not None
    return document


def told(document: Draft) -> dict[str, Any]:
    return payload(
        draft=document, number="ALB-2025-000001", reference="2025-10 acme r1", customer="acme", issued_on="2025-11-01",
        due_on="2025-11-15", sales_account="200",
    )  # fmt: skip


def xeros_total(payload: dict[str, Any]) -> Decimal:
    """What Xero makes of the lines: each rounded to two decimals, then summed. Without tax."""
    cent = Decimal("0.01")
    return sum(
        (
            (Decimal(line["quantity"]) * Decimal(line["unit_price"])).quantize(cent, ROUND_HALF_UP)
            for line in payload["lines"]
        ),
        Decimal(0),
    )


# Lines and rounding


def test_lines_say_what_is_billed() -> None:
    document = must(
        written(
            [
                group("31", "2.5", kind="machine_days"),
                group("1", "12", kind="minimum"),
                group("1234.5", "0.08", multiplier="1.08"),
            ]
        )
    )
    assert [(line.line, line.description) for line in document.lines] == [
        (1, "Energy, Norway, October 2025: 1,143.056 kWh measured x 1.08 for losses x 0.08 EUR"),
        (2, "Monthly minimum, October 2025: the rest up to it"),
        (3, "Machine fee, Norway, October 2025: 31 machine-days x 2.5 EUR"),
    ]
    assert [f"{line.quantity} {line.unit} x {line.unit_price} = {line.amount}" for line in document.lines] == [
        "1234.5000 kWh x 0.08 = 98.76",
        "1.0000 month x 12 = 12.00",
        "31.0000 machine-day x 2.5 = 77.50",
    ]
    assert (document.kind, document.subtotal, document.total) == ("invoice", Decimal("188.26"), Decimal("188.26"))


@pytest.mark.parametrize(
    ("amount", "currency", "wanted"),
    [
        ("0.005", "EUR", "0.01"),
        ("0.0049999", "EUR", "0.00"),
        ("2.675", "NOK", "2.68"),
        ("-0.005", "EUR", "-0.01"),
        ("1.125", "IDR", "1.13"),
        ("0.5", "JPY", "1"),
        ("1.49", "JPY", "1"),
    ],
)
def test_rounding_is_half_up_to_the_minor_unit(amount: str, currency: str, wanted: str) -> None:
    assert str(rounded(Decimal(amount), currency)) == wanted


@pytest.mark.parametrize(
    ("quantity", "price", "currency", "form"),
    [
        ("100.1234", "0.0712", "EUR", ("100.1234", "0.0712")),
        ("100.12345", "0.0712", "EUR", ("100.1235", "0.0712")),  # the same amount in spite of four decimals
        ("100.00004", "1000", "EUR", ("1", "100000.04")),  # four decimals would give 100,000.00
        ("100", "0.07125", "EUR", ("1", "7.13")),  # a price that Xero would cut
        ("10", "105.5", "JPY", ("10.0000", "105.5")),
        ("11", "105.5", "JPY", ("1", "1161")),  # 1160.5: Xero knows no currency without decimals
    ],
)
def test_quantity_and_price_are_shown_only_if_they_give_the_amount(
    quantity: str, price: str, currency: str, form: tuple[str, str]
) -> None:
    (line,) = must(written([group(quantity, price)], currency=currency)).lines
    assert (line.quantity, line.unit_price) == (Decimal(form[0]), Decimal(form[1]))
    assert line.amount == rounded(Decimal(quantity) * Decimal(price), currency)


quantities = st.decimals("0", "99999", places=5).map(str)
prices = st.decimals("0", "9", places=5).map(str)


@given(quantity=quantities, price=prices, currency=st.sampled_from(["EUR", "JPY"]), back=st.booleans())
def test_xero_computes_the_total_that_we_wrote(quantity: str, price: str, currency: str, back: bool) -> None:
    groups = [group(quantity, price), group("31", "2.5", kind="machine_days")]
    document = written([] if back else groups, groups if back else [], currency=currency, corrects="x" if back else "")
    said = told(must(document))
    assert xeros_total(said) == Decimal(said["total"])


def test_tax_is_rounded_by_line() -> None:
    groups = [group("1", "25.06"), group("1", "25.61", site="finland"), group("1", "25.63", site="ethiopia")]
    document = must(written(groups, tax_type="OUTPUT2"))
    assert [line.tax for line in document.lines] == [Decimal("5.13"), Decimal("5.12"), Decimal("5.01")]
    assert (document.tax, document.total) == (Decimal("15.26"), Decimal("91.56"))


def test_a_reverse_charge_says_so_on_the_document() -> None:
    said = told(must(written([group()], tax_type="ECZROUTPUT")))
    assert said["lines"][0]["tax_type"] == "ECZROUTPUT"
    assert said["remark"] == "Reverse charge: VAT is to be accounted for by the recipient"


def test_nothing_to_bill_is_no_document() -> None:
    assert written([]) is None
    assert written([group("0")]) is None
    assert written([group("0.001", "0.5")]) is None, "below half a cent"


# Corrections


def test_a_correction_is_exactly_the_difference() -> None:
    more = must(written([group("120"), group("31", "2", kind="machine_days")], [group("100")], corrects="ALB-1"))
    assert (more.kind, more.subtotal) == ("supplement", Decimal(72))
    assert more.lines[0].description.startswith("Correction of ALB-1: Energy, Norway, October 2025: 20.000 kWh")
    less = must(written([group("90")], [group("100")], corrects="ALB-1"))
    assert (less.kind, less.subtotal, less.lines[0].quantity) == ("credit_note", Decimal(-5), Decimal(-10))


def test_a_correction_of_nothing_is_no_document() -> None:
    assert written([group()], [group()], corrects="ALB-1") is None
    moved = [group(site="finland")]
    assert written(moved, [group(site="norway")], corrects="ALB-1") is None, "a net of zero needs no document"


def test_an_invoice_after_a_revision_without_a_document_is_an_invoice() -> None:
    assert must(written([group()], [group("0")])).kind == "invoice"


def test_a_credit_note_is_told_in_positive_numbers() -> None:
    groups = [group("40"), group("10", "0.123456", site="finland")]
    before = [group("100"), group("20", "0.123456", site="finland"), group("5", "1", site="ethiopia")]
    document = must(written([*groups, group("9", "1", site="indonesia")], before, corrects="ALB-1"))
    assert document.kind == "credit_note"
    assert document.total == Decimal("-27.24")
    said = told(document)
    assert said["total"] == "27.24"
    assert [f"{Decimal(line['quantity']):g} x {line['unit_price']}" for line in said["lines"]] == [
        "5.0000 x 1",
        "1 x 1.24",
        "-9.0000 x 1",
        "60.0000 x 0.5",
    ]


@pytest.mark.parametrize(
    ("groups", "before", "kind", "quantity", "price", "total"),
    [
        (["100.1234"], [], Kind.INVOICE, "100.1234", "0.5", "62.58"),
        (["120"], ["100"], Kind.INVOICE, "20", "0.5", "12.50"),
        (["90"], ["100"], Kind.CREDIT_NOTE, "10", "0.5", "6.25"),
    ],
)
def test_xero_is_told_what_was_kept(
    groups: list[str], before: list[str], kind: Kind, quantity: str, price: str, total: str
) -> None:
    corrects = "ALB-2025-000001" if before else ""
    document = written(
        [group(each) for each in groups], [group(each) for each in before], tax_type="OUTPUT", corrects=corrects
    )
    kept = json.loads(json.dumps(told(must(document))))
    sent = draft_document(kept, contact_id="id-acme")
    (line,) = sent.lines
    assert (sent.kind, line.quantity, line.unit_price, sent.total) == (
        kind, Decimal(quantity), Decimal(price), Decimal(total),
    )  # fmt: skip
    assert (sent.number, sent.reference, sent.contact_id) == ("ALB-2025-000001", "2025-10 acme r1", "id-acme")
    assert (sent.issued_on, sent.due_on, sent.currency) == (date(2025, 11, 1), date(2025, 11, 15), "EUR")
    assert (line.tax_type, line.account, sent.remark) == ("OUTPUT", "200", "")
    assert "Energy, Norway, October 2025" in line.description


revision = st.lists(
    st.builds(
        group,
        quantities,
        prices,
        site=st.sampled_from(["norway", "finland"]),
        kind=st.sampled_from(["energy", "machine_days", "minimum"]),
    ),
    max_size=4,
    unique_by=lambda group: group.key,
)


@given(revisions=st.lists(revision, min_size=1, max_size=6), currency=st.sampled_from(["EUR", "JPY"]))
def test_all_documents_of_a_month_add_up_to_its_newest_revision(revisions: list[list[Group]], currency: str) -> None:
    billed, before, first = Decimal(0), list[Group](), ""
    for groups in revisions:
        document = written(groups, before, currency=currency, corrects=first)
        if document is not None:
            first = first or "ALB-2025-000001"
            billed += document.subtotal
            assert document.subtotal == sum(line.amount for line in document.lines)
            assert document.total == document.subtotal + document.tax
            assert (document.subtotal < 0) == (document.kind == "credit_note")
        before = groups
        assert billed == sum(rounded(group.amount, currency) for group in groups)


# Statements


def test_a_statement_neutralises_formulas_and_keeps_numbers() -> None:
    row = BilledDay(
        site="=cmd|' /C calc'!A0", machine="@SUM(1)", day=date(2025, 10, 1), kwh=Decimal("-1.5"), hours_expected=24,
        hours_measured=-1, hours_estimated=0, quality="measured", customer_month_id=1, collection_id=1, wh=-1_500,
        estimated_wh=0,
    )  # fmt: skip
    content = statement_csv([row])
    assert content.decode().splitlines()[1] == "'=cmd|' /C calc'!A0,'@SUM(1),2025-10-01,-1.5,24,-1,0,measured"
    assert statement_csv([row]) == content
