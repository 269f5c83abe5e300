"""From a customer-month's records to a document: pure, no database and no Xero.

Each line sums records of one site, kind and price; its amount is rounded half-up once, to the currency's minor unit.
A correction holds, line by line, the difference between the rounded lines of two revisions, so that all documents of
a customer-month add up to the lines of its newest revision, to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from albacore_pipeline.periods import Month
from albacore_pipeline.registry.rows import MINOR_UNITS

FOUR = Decimal("0.0001")  # Xero's quantities and unit prices
CENT = Decimal("0.01")  # Xero's amounts, whatever the currency

TAX_RATES: Mapping[
    str, tuple[Decimal, str]
] = {  # Xero's tax types: the rate, and words that must stand on the document
    "NONE": (Decimal(0), ""),
    "OUTPUT": (Decimal("0.25"), ""),
    "OUTPUT2": (Decimal("0.20"), ""),
    "RROUTPUT": (Decimal("0.05"), ""),
    "ZERORATEDOUTPUT": (Decimal(0), "Zero-rated supply"),
    "ECZROUTPUT": (Decimal(0), "Reverse charge: VAT is to be accounted for by the recipient"),
}

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The records of a customer-month that share a line: exact sums."""

    site: str  # empty where a price spans sites
    price_kind: str
    tariff: str
    band: str
    unit: str
    unit_price: Decimal
    multiplier: Decimal
    quantity: Decimal
    amount: Decimal
    wh: int

    @property
    def key(self) -> tuple[str, str, str, str, Decimal, Decimal]:
        """What makes records share a line."""
        return (self.site, self.price_kind, self.tariff, self.band, self.unit_price, self.multiplier)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a document; negative where it takes something back. `quantity` x `unit_price` gives `amount`."""

    line: int
    site: str
    price_kind: str
    key: tuple[str, str, str, str, Decimal, Decimal]
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    tax_type: str
    tax: Decimal


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A document without its number yet. `kind` is `invoice`, `credit_note` or `supplement`; amounts are signed."""

    kind: str
    currency: str
    lines: list[Line]
    subtotal: Decimal
    tax: Decimal
    total: Decimal


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half-up to the currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), ROUND_HALF_UP)


def draft(
    *,
    month: Month,
    currency: str,
    tax_type: str,
    groups: Sequence[Group],
    before: Sequence[Group] = (),
    corrects: str = "",
) -> Draft | None:
    """The document that brings a customer from what was billed `before` to `groups`; None when nothing differs.

    `corrects` is the number of the document that is corrected; empty for a first one.
    """
    rate, _ = TAX_RATES[tax_type]
    now, then = {group.key: group for group in groups}, {group.key: group for group in before}
    lines: list[Line] = []
    for key in sorted(now.keys() | then.keys(), key=lambda key: (key[1] != "energy", key)):
        new, old = now.get(key), then.get(key)
        amount = sum(
            (rounded(group.amount, currency) * sign for group, sign in ((new, 1), (old, -1)) if group), Decimal(0)
        )
        if amount == 0:
            continue
        quantity = sum((group.quantity * sign for group, sign in ((new, 1), (old, -1)) if group), Decimal(0))
        group = new or old
        assert group is not None  # noqa: S101 - the key comes from one of the two
        lines.append(_line(len(lines) + 1, group, month, quantity, amount, currency, tax_type, rate, corrects))
    subtotal = sum((line.amount for line in lines), Decimal(0))
    if not lines or subtotal == 0:
        return None
    tax = sum((line.tax for line in lines), Decimal(0))
    kind = "credit_note" if subtotal < 0 else "supplement" if corrects else "invoice"
    return Draft(kind=kind, currency=currency, lines=lines, subtotal=subtotal, tax=tax, total=subtotal + tax)


def _line(
    number: int,
    group: Group,
    month: Month,
    quantity: Decimal,
    amount: Decimal,
    currency: str,
    tax_type: str,
    rate: Decimal,
    corrects: str,
) -> Line:
    words = _describe(group, month, quantity, currency)
    shown = quantity.quantize(FOUR, ROUND_HALF_UP)  # Xero holds four decimals of each, and multiplies by itself
    product = (shown * group.unit_price).quantize(CENT, ROUND_HALF_UP)
    fits = group.unit_price == group.unit_price.quantize(FOUR) and product == amount
    return Line(
        line=number,
        site=group.site,
        price_kind=group.price_kind,
        key=group.key,
        description=f"Correction of {corrects}: {words}" if corrects else words,
        quantity=shown if fits else Decimal(1),
        unit=group.unit if fits else "sum",
        unit_price=group.unit_price if fits else amount,
        amount=amount,
        tax_type=tax_type,
        tax=(amount * rate).quantize(CENT, ROUND_HALF_UP),  # to two decimals in every currency, as Xero does
    )


def _describe(group: Group, month: Month, quantity: Decimal, currency: str) -> str:
    when = f"{MONTHS[month.number - 1]} {month.year}"
    where = f", {group.site.capitalize()}" if group.site else ""
    price = f"{_plain(group.unit_price)} {currency}"
    if group.price_kind == "minimum":
        return f"Monthly minimum, {when}: the rest up to it"
    if group.price_kind == "machine_days":
        return f"Machine fee{where}, {when}: {_plain(quantity)} machine-days x {price}"
    if group.multiplier == 1:
        return f"Energy{where}, {when}: {quantity:,.3f} kWh x {price}"
    measured = quantity / group.multiplier
    return f"Energy{where}, {when}: {measured:,.3f} kWh measured x {_plain(group.multiplier)} for losses x {price}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def payload(
    *, draft: Draft, number: str, reference: str, customer: str, issued_on: str, due_on: str, sales_account: str
) -> dict[str, Any]:
    """What Xero is told, but for the contact's id, which is known only when it is sent. Numbers as text, exactly."""
    sign = -1 if draft.kind == "credit_note" else 1
    lines = [
        {
            "Description": line.description,
            "Quantity": str(line.quantity if line.unit == "sum" else line.quantity * sign),
            "UnitAmount": str(line.unit_price * sign if line.unit == "sum" else line.unit_price),
            "TaxType": line.tax_type,
            "AccountCode": sales_account,
        }
        for line in draft.lines
    ]
    words = TAX_RATES[draft.lines[0].tax_type][1]
    if words:
        lines.append({"Description": words})
    return {
        "customer": customer,
        "kind": draft.kind,
        "number": number,
        "reference": reference,
        "date": issued_on,
        "due": due_on,
        "currency": draft.currency,
        "total": str(draft.total * sign),
        "lines": lines,
    }
