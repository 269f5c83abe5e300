"""Money that came beyond an invoice or before one: overpayments and prepayments.

Belongs here: keeping and showing them. A client reads them only; people enter them (`by_hand.py`).
Does not belong here: setting them against invoices.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Document, Store
from albacore_sandbox.xero.contacts import Contacts
from albacore_sandbox.xero.ledger import money
from albacore_sandbox.xero.wire import ZERO, Invalid, NotFound, day_ms_date, day_string, ms_date

TYPES = {"Overpayments": "RECEIVE-OVERPAYMENT", "Prepayments": "RECEIVE-PREPAYMENT"}


@dataclass(frozen=True, kw_only=True)
class Received:
    """Money as a person enters it; only a prepayment has a number. `spent` is ours, at a supplier."""

    contact: str
    currency: str
    amount: Decimal
    day: str
    number: str | None = None
    spent: bool = False


class Advances:
    """Overpayments and prepayments, each kind in its own list."""

    def __init__(self, *, clock: WorldClock, store: Store, contacts: Contacts) -> None:
        self._clock = clock
        self._contacts = contacts
        self._kept = {"Overpayments": store.collection("xero_overpayment")}
        self._kept |= {"Prepayments": store.collection("xero_prepayment")}

    def enter(self, plural: str, received: Received) -> str:
        """Keep money; its id."""
        key = str(uuid.uuid4())
        kept: Document = {"ContactID": received.contact, "CurrencyCode": received.currency, "Date": received.day}
        kept |= {"Total": received.amount, "Remaining": received.amount, "Number": received.number}
        self._put(plural, key, kept | {"Spent": received.spent})
        return key

    def use(self, key: str, amount: Decimal | None) -> None:
        """Pay money back, wholly or in part. Raises Invalid and NotFound."""
        plural = next((name for name, kept in self._kept.items() if key in kept), None)
        if plural is None:
            raise NotFound(key)
        kept = self._kept[plural][key]
        left = money(kept["Remaining"]) - (money(kept["Remaining"]) if amount is None else amount)
        if left < 0:
            raise Invalid("The amount exceeds the remaining credit")
        self._put(plural, key, {**kept, "Remaining": left})

    def all(self, plural: str) -> list[Document]:
        """Each of a kind in wire form."""
        return [self.shown(plural, key) for key in self._kept[plural]]

    def shown(self, plural: str, key: str) -> Document:
        """One in wire form. Raises NotFound."""
        if key not in self._kept[plural]:
            raise NotFound(key)
        kept = self._kept[plural][key]
        contact = {"ContactID": kept["ContactID"], "Name": self._contacts.shown(kept["ContactID"])["Name"]}
        remaining = money(kept["Remaining"])
        shown: Document = {
            f"{plural[:-1]}ID": key,
            "ID": key,
            "Type": TYPES[plural].replace("RECEIVE", "SPEND") if kept["Spent"] else TYPES[plural],
            "Contact": contact,
            "DateString": day_string(kept["Date"]),
            "Date": day_ms_date(kept["Date"]),
            "Status": "AUTHORISED" if remaining else "PAID",
            "LineAmountTypes": "NoTax",
            "SubTotal": kept["Total"],
            "TotalTax": ZERO,
            "Total": kept["Total"],
            "CurrencyCode": kept["CurrencyCode"],
            "CurrencyRate": 1,
            "RemainingCredit": remaining,
            "Allocations": [],
            "HasAttachments": False,
            "UpdatedDateUTC": ms_date(kept["updated"]),
        }
        return shown | ({"InvoiceNumber": kept["Number"]} if kept.get("Number") else {})

    def _put(self, plural: str, key: str, kept: Document) -> None:
        self._kept[plural].put(key, {**kept, "updated": self._clock.now()})
