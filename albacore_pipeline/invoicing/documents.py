"""From a customer-month's records to a document: pure, no database and no Xero.

Each line sums records of one site, kind and price; its amount is rounded half-up once, to the currency's minor unit.
A correction holds, line by line, the difference between the rounded lines of two revisions, so that all documents of
a customer-month add up to the lines of its newest revision, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from albacore_pipeline.money import rounded
from albacore_pipeline.periods import Month
from albacore_pipeline.xero.interface import DraftDocument, DraftLine, Kind

FOUR = Decimal("0.0001")  # Xero's quantities and unit prices
SIX = Decimal("0.000001")  # average prices, for showing
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


class LineKey(NamedTuple):
    """What makes records share a line."""

    site: str
    price_kind: str
    tariff: str
    band: str
    price: Decimal | None
    multiplier: Decimal


@dataclass(frozen=True, kw_only=True)
class Group:
    """The records of a customer-month that share a line: exact sums. `price` is None where each hour has its own."""

    site: str  # empty where a price spans sites
    price_kind: str
    tariff: str
    band: str
    unit: str
    price: Decimal | None
    multiplier: Decimal
    quantity: Decimal
    amount: Decimal
    wh: int

    @property
    def key(self) -> LineKey:
        """What makes records share a line."""
        return LineKey(self.site, self.price_kind, self.tariff, self.band, self.price, self.multiplier)


@dataclass(frozen=True, kw_only=True)
class Billing:
    """What a revision of a customer-month bills: `groups`, less what was billed `before`.

    `corrects` is the number of the document that is corrected; empty for a first one.
    """

    customer_month_id: int
    month: Month
    groups: Sequence[Group]
    before: Sequence[Group] = ()
    corrects: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a document; negative where it takes something back. `quantity` x `unit_price` gives `amount`."""

    line: int
    customer_month_id: int
    site: str
    price_kind: str
    key: LineKey
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


def draft(*, change: Billing, currency: str, tax_type: str, carried: Sequence[Billing] = ()) -> Draft | None:
    """The document of a change, with small earlier corrections that it brings along; None when nothing differs."""
    lines = [line for each in (change, *carried) for line in _lines(each, currency, tax_type)]
    lines = [replace(line, line=number) for number, line in enumerate(lines, start=1)]
    subtotal = sum((line.amount for line in lines), Decimal(0))
    if not lines or subtotal == 0:
        return None
    tax = sum((line.tax for line in lines), Decimal(0))
    kind = "credit_note" if subtotal < 0 else "supplement" if change.corrects else "invoice"
    return Draft(kind=kind, currency=currency, lines=lines, subtotal=subtotal, tax=tax, total=subtotal + tax)


def _lines(change: Billing, currency: str, tax_type: str) -> Iterator[Line]:
    now, then = {group.key: group for group in change.groups}, {group.key: group for group in change.before}
    for key in sorted(now.keys() | then.keys(), key=_order):
        new, old = now.get(key), then.get(key)
        group = new or old
        assert group is not None  # noqa: S101 - the key comes from one of the two
        signed = [(each, sign) for each, sign in ((new, 1), (old, -1)) if each]
        amount = sum((rounded(each.amount, currency) * sign for each, sign in signed), Decimal(0))
        if amount != 0:
            quantity = sum((each.quantity * sign for each, sign in signed), Decimal(0))
            yield _line(replace(group, quantity=quantity), change, amount, currency, tax_type)


def _order(key: LineKey) -> tuple[bool, str, str, str, int, str, Decimal, Decimal]:
    """Energy first; of bands the shorter name, which puts tiers in the order of their numbers."""
    is_energy, price = key.price_kind == "energy", key.price or Decimal(0)
    return (not is_energy, key.site, key.price_kind, key.tariff, len(key.band), key.band, price, key.multiplier)


def _line(group: Group, change: Billing, amount: Decimal, currency: str, tax_type: str) -> Line:
    """The line of a group with the quantity and the amount of its difference."""
    words = _describe(group, change, amount, currency)
    shown = group.quantity.quantize(FOUR, ROUND_HALF_UP)  # Xero holds four decimals of each, and multiplies by itself
    price = group.price
    fits = (
        price is not None and price == price.quantize(FOUR) and (shown * price).quantize(CENT, ROUND_HALF_UP) == amount
    )
    rate, _ = TAX_RATES[tax_type]
    return Line(
        line=0,
        customer_month_id=change.customer_month_id,
        site=group.site,
        price_kind=group.price_kind,
        key=group.key,
        description=f"Correction of {change.corrects}: {words}" if change.corrects else words,
        quantity=shown if fits else Decimal(1),
        unit=group.unit if fits else "sum",
        unit_price=price if fits and price is not None else amount,
        amount=amount,
        tax_type=tax_type,
        tax=(amount * rate).quantize(CENT, ROUND_HALF_UP),  # to two decimals in every currency, as Xero does
    )


def _describe(group: Group, change: Billing, amount: Decimal, currency: str) -> str:
    when = f"{MONTHS[change.month.number - 1]} {change.month.year}"
    where = f", {group.site.capitalize()}" if group.site else ""
    if group.price_kind == "minimum":
        return f"Monthly minimum, {when}: the rest up to it"
    if group.price_kind == "machine_days":
        return f"Machine fee{where}, {when}: {_as_decimal_text(group.quantity)} machine-days{_price(group, currency)}"
    band = f", {group.band}" if group.band else ""
    energy = f"{group.quantity / group.multiplier:,.3f} kWh"
    if group.multiplier != 1:
        energy += f" measured x {_as_decimal_text(group.multiplier)} for losses"
    average = ""
    if group.price is None:
        average = " at the price of each hour"
        if group.quantity > 0 and not change.corrects:
            average += f", on average {_as_decimal_text((amount / group.quantity).quantize(SIX))} {currency}"
    return f"Energy{where}, {when}{band}: {energy}{average}{_price(group, currency)}"


def _price(group: Group, currency: str) -> str:
    return "" if group.price is None else f" x {_as_decimal_text(group.price)} {currency}"


def _as_decimal_text(number: Decimal) -> str:
    return f"{number.normalize():f}"


def payload(
    *, draft: Draft, number: str, reference: str, customer: str, issued_on: str, due_on: str, sales_account: str
) -> dict[str, Any]:
    """A document as it is kept, and as Xero will be told of it: JSON, with numbers as text, exactly.

    Xero's id for the contact is not in it: it is known only when the document is sent.
    """
    sign = -1 if draft.kind == "credit_note" else 1
    lines = [
        {
            "description": line.description,
            "quantity": str(line.quantity if line.unit == "sum" else line.quantity * sign),
            "unit_price": str(line.unit_price * sign if line.unit == "sum" else line.unit_price),
            "tax_type": line.tax_type,
            "account": sales_account,
        }
        for line in draft.lines
    ]
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
        "remark": TAX_RATES[draft.lines[0].tax_type][1],
    }


def xero_kind(kind: str) -> Kind:
    """What Xero calls a document of this kind."""
    return Kind.CREDIT_NOTE if kind == "credit_note" else Kind.INVOICE


def draft_document(stored: Mapping[str, Any], *, contact_id: str) -> DraftDocument:
    """A document that was kept as `payload` made it, for Xero."""
    lines = [
        DraftLine(
            description=line["description"],
            quantity=Decimal(line["quantity"]),
            unit_price=Decimal(line["unit_price"]),
            tax_type=line["tax_type"],
            account=line["account"],
        )
        for line in stored["lines"]
    ]
    return DraftDocument(
        kind=xero_kind(stored["kind"]),
        number=stored["number"],
        reference=stored["reference"],
        contact_id=contact_id,
        issued_on=date.fromisoformat(stored["date"]),
        due_on=date.fromisoformat(stored["due"]),
        currency=stored["currency"],
        total=Decimal(stored["total"]),
        lines=lines,
        remark=stored["remark"],
    )
