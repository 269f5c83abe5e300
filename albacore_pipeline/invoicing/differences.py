"""Where Xero's document differs from ours: pure.

Does not belong here: which differences stop a document's chain (`albacore.document_edit`), and reading Xero
(`payments.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from albacore_pipeline.invoicing.queries import OpenDocument
from albacore_pipeline.xero.interface import CreditNote, Invoice, Seen, ShownLine, Status, Unreadable

MOST_LINES = 3  # that a difference names


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where Xero and we differ."""

    number: str
    field: str
    ours: str
    xeros: str


Shown = Seen[Invoice] | Seen[CreditNote] | Unreadable
"""What Xero's answer says of a document."""


def compare(document: OpenDocument, answer: Shown | None) -> list[Difference]:
    """Every difference of a document; `answer` is None where Xero shows others and not this one."""
    match answer:
        case None:
            pairs = {"exists": ("yes", "no")}
        case Unreadable():
            pairs = {"readable": ("yes", "no")}
        case Seen(value=seen):
            pairs = _pairs(document, seen)
    return [
        Difference(number=document.number, field=field, ours=ours, xeros=theirs)
        for field, (ours, theirs) in pairs.items()
        if ours != theirs
    ]


def _pairs(document: OpenDocument, seen: Invoice | CreditNote) -> dict[str, tuple[str, str]]:
    """What is compared, as ours and Xero's."""
    pairs = {
        "number": (document.number, seen.number),
        "contact": (document.contact_id or "none", seen.contact_id),
        "date": (document.issued_on.isoformat(), seen.issued_on.isoformat()),
        "currency": (document.currency, seen.currency),
        "total": (f"{abs(document.total):.2f}", f"{seen.total:.2f}"),
        "status": ("live", "live" if seen.status in (Status.AUTHORISED, Status.PAID) else "gone"),
    }
    if isinstance(seen, Invoice):
        pairs["due date"] = (document.due_on.isoformat(), seen.due_on.isoformat() if seen.due_on else "none")
    if seen.lines:
        pairs["lines"] = _lines(_sent(document), seen.lines)
    return pairs


def _sent(document: OpenDocument) -> list[ShownLine]:
    """Our lines, as Xero was told of them."""
    return [
        ShownLine(quantity=Decimal(line["quantity"]), unit_price=Decimal(line["unit_price"]), tax_type=line["tax_type"])
        for line in document.lines
    ]


def _lines(ours: Iterable[ShownLine], theirs: Iterable[ShownLine]) -> tuple[str, str]:
    """The lines that only one side has, whatever their order."""
    sent, shown = Counter(ours), Counter(theirs)
    return _words(sent - shown), _words(shown - sent)


def _words(lines: Counter[ShownLine]) -> str:
    texts = sorted(
        f"{_plain(line.quantity)} x {_plain(line.unit_price)} {line.tax_type}".strip() for line in lines.elements()
    )
    more = [f"and {len(texts) - MOST_LINES} more"] if len(texts) > MOST_LINES else []
    return ", ".join(texts[:MOST_LINES] + more) or "none"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
