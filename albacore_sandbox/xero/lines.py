"""The arithmetic of a document's lines, as Xero does it.

Belongs here: rounding, tax per line, totals, and what a line must have.
Does not belong here: the document around the lines.
Source: Xero's guide to rounding: unit amounts to 2 places (4 with unitdp=4) before multiplying, quantities to 4, line
amounts and their tax half-up to 2, totals as sums.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from albacore_sandbox.store import Document
from albacore_sandbox.xero.reference import TAX_RATES, is_revenue_account
from albacore_sandbox.xero.wire import ZERO, Invalid, rounded, to_decimal

HUNDRED = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Lines with their amounts, and the totals."""

    lines: list[Document]
    sub_total: Decimal
    total_tax: Decimal

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.sub_total + self.total_tax


def with_price(lines: Sequence[Document], *, amount_types: str, places: int, final: bool) -> Priced:
    """Work out amounts and totals; `final` documents must name account and tax type. Raises Invalid."""
    done: list[Document] = []
    problems: list[str] = []
    for line in lines:
        try:
            done.append(_line(line, amount_types=amount_types, places=places, final=final))
        except Invalid as invalid:
            problems += invalid.messages
    if problems:
        raise Invalid(*problems)
    tax = sum((line.get("TaxAmount", ZERO) for line in done), ZERO)
    amounts = sum((line.get("LineAmount", ZERO) for line in done), ZERO)
    return Priced(lines=done, sub_total=amounts - tax if amount_types == "Inclusive" else amounts, total_tax=tax)


def _line(line: Document, *, amount_types: str, places: int, final: bool) -> Document:
    text = str(line.get("Description") or "")
    if not text:
        raise Invalid("Description is required for each line item")
    if len(text) > 4000:
        raise Invalid("Description must not be longer than 4000 characters")
    done: Document = {"LineItemID": line.get("LineItemID") or str(uuid.uuid4()), "Description": text}
    unit, amount = (to_decimal(line.get(name), name=name) for name in ("UnitAmount", "LineAmount"))
    if unit is None and amount is None:
        return done | {"Tracking": []}
    quantity = rounded(to_decimal(line.get("Quantity", 1), name="Quantity") or ZERO, 4)
    if unit is None:
        unit = (amount or ZERO) / quantity if quantity else ZERO
    unit = rounded(unit, places)
    expected = rounded(quantity * unit)
    if amount is not None and amount != expected:
        raise Invalid(f"The line total {amount} does not match the expected line total {expected}")
    tax_type = _tax_type(line, final=final)
    done |= {"Quantity": quantity, "UnitAmount": unit, "LineAmount": expected, "TaxType": tax_type}
    done["TaxAmount"] = _tax(line, expected, tax_type=tax_type, amount_types=amount_types)
    if code := _account(line, final=final):
        done["AccountCode"] = code
    return done | {"Tracking": line.get("Tracking") or []}


def _tax_type(line: Document, *, final: bool) -> str:
    tax_type = line.get("TaxType") or ("OUTPUT" if not final else None)
    if tax_type is None:
        raise Invalid("The TaxType field is mandatory")
    if tax_type not in TAX_RATES:
        text = f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction."
        raise Invalid(text)
    return str(tax_type)


def _account(line: Document, *, final: bool) -> str | None:
    code = line.get("AccountCode")
    if not code and final:
        raise Invalid("Account code or ID must be specified")
    if code and not is_revenue_account(str(code)):
        raise Invalid(f"Account code '{code}' is not a valid code for this document.")
    return str(code) if code else None


def _tax(line: Document, amount: Decimal, *, tax_type: str, amount_types: str) -> Decimal:
    rate = TAX_RATES[tax_type][1]
    if amount_types == "NoTax":
        return ZERO
    given = to_decimal(line.get("TaxAmount"), name="TaxAmount")
    if given is not None:
        return rounded(given)
    if amount_types == "Inclusive":
        return rounded(amount * rate / (HUNDRED + rate))
    return rounded(amount * rate / HUNDRED)
