"""What is owed: the sums of invoices and credit notes under their payments and allocations.

Belongs here: the kept documents, how they are found, and how their states follow from what settles them.
Does not belong here: reading and checking what a client sends (`documents.py`, `settlement.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Collection, Document, Store
from albacore_sandbox.xero.wire import ZERO, NotFound

INVOICE, CREDIT_NOTE = "Invoice", "CreditNote"


def money(value: object) -> Decimal:
    """A kept amount as Decimal."""
    return Decimal(str(value))


class Ledger:
    """Kept documents by id. Dates are ISO days; `updated` is the instant of the last change."""

    def __init__(self, *, clock: WorldClock, store: Store) -> None:
        self.clock = clock
        self.store = store
        self.documents: dict[str, Collection] = {
            INVOICE: store.collection("xero_invoice"),
            CREDIT_NOTE: store.collection("xero_credit_note"),
        }
        self.payments = store.collection("xero_payment")
        self.allocations = store.collection("xero_allocation")

    def find(self, kind: str, asked: str) -> str:
        """The id of the document with this id or number; of several, the oldest. Raises NotFound."""
        kept = self.documents[kind]
        if asked in kept:
            return asked
        found = self.by_number(kind, asked)
        if found is None:
            raise NotFound(asked)
        return found

    def by_number(self, kind: str, number: str) -> str | None:
        """The id of the oldest document with a number, whatever its state; numbers ignore case."""
        asked = number.lower()
        return next((k for k, d in self.documents[kind].items() if d["Number"].lower() == asked), None)

    def write(self, kind: str, key: str, document: Document) -> None:
        """Keep a document, with its sums and state brought up to date."""
        self.documents[kind].put(key, {**self._settled(kind, key, document), "updated": self.clock.now()})

    def resettle(self, kind: str, key: str) -> None:
        """Bring a document up to date after a payment or allocation came or went."""
        self.write(kind, key, self.documents[kind][key])

    def payments_of(self, key: str) -> list[tuple[str, Document]]:
        """The payments of a document that stand."""
        return [(k, p) for k, p in self.payments.items() if p["DocumentID"] == key and p["Status"] != "DELETED"]

    def allocations_of(self, key: str) -> list[tuple[str, Document]]:
        """The allocations from a credit note or to an invoice."""
        return [(k, a) for k, a in self.allocations.items() if key in (a["InvoiceID"], a["CreditNoteID"])]

    def due(self, kind: str, key: str) -> Decimal:
        """What is still open on a document."""
        return money(self.documents[kind][key]["Due"])

    def _settled(self, kind: str, key: str, document: Document) -> Document:
        payments, allocations = self.payments_of(key), self.allocations_of(key)
        paid = _total(p["Amount"] for _, p in payments)
        credited = _total(a["Amount"] for _, a in allocations)
        due = money(document["Total"]) - paid - credited
        if document["Status"] in ("VOIDED", "DELETED"):
            due = ZERO
        status = document["Status"]
        if status in ("AUTHORISED", "PAID"):
            status = "PAID" if due == 0 else "AUTHORISED"
        days = [each["Date"] for _, each in (*payments, *allocations)] or [document["Date"]]
        last = max(days) if status == "PAID" else None
        return {**document, "Status": status, "Paid": paid, "Credited": credited, "Due": due, "FullyPaidOn": last}


def _total(amounts: Iterable[object]) -> Decimal:
    return sum((money(amount) for amount in amounts), ZERO)
