"""Invoices and credit notes: reading, checking and changing what a client sends.

Belongs here: the rules of PUT and POST for both, which differ in names only.
Does not belong here: how they are shown (`shown.py`), what settles them (`settlement.py`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from albacore_sandbox.store import Document
from albacore_sandbox.xero.contacts import Contacts
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE, Ledger
from albacore_sandbox.xero.lines import with_price
from albacore_sandbox.xero.reference import BASE_CURRENCY, CURRENCIES
from albacore_sandbox.xero.wire import Invalid, NotFound, to_day

TYPES = {INVOICE: "ACCREC", CREDIT_NOTE: "ACCRECCREDIT"}
PREFIXES = {INVOICE: "INV-", CREDIT_NOTE: "CN-"}
TRANSITIONS = {
    "": {"DRAFT", "SUBMITTED", "AUTHORISED"},
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID", "AUTHORISED"},
}
FINAL = {"SUBMITTED", "AUTHORISED"}
LINE_AMOUNT_TYPES = {"Exclusive", "Inclusive", "NoTax"}
ALWAYS_CHANGEABLE = {"Reference", "SentToContact", "Url", "BrandingThemeID"}
_PLAIN = ("Reference", "Url", "BrandingThemeID", "SentToContact", "ExpectedPaymentDate")
_MOST_CHARACTERS = 255


@dataclass(frozen=True, kw_only=True)
class Change:
    """Where a document goes: `before` is None for a new one."""

    kind: str
    key: str
    before: Document | None


class Documents:
    """PUT and POST of invoices and credit notes."""

    def __init__(self, *, ledger: Ledger, contacts: Contacts) -> None:
        self._ledger = ledger
        self._contacts = contacts

    def create(self, kind: str, given: Document, *, places: int) -> str:
        """PUT: a new document, whose id is returned. Raises Invalid, also for an invoice's number that is taken."""
        number = given.get(f"{kind}Number")
        if given.get(f"{kind}ID"):
            raise Invalid(f"The {kind}ID must not be given for a new document")
        # Invoice numbers stay taken for ever. Credit notes' are not enforced: whoever needs that must look first.
        if kind == INVOICE and number and self._ledger.by_number(kind, str(number)):
            raise Invalid("Invoice # must be unique.")
        return self._write(Change(kind=kind, key=str(uuid.uuid4()), before=None), given, places=places)

    def save(self, kind: str, given: Document, *, places: int) -> str:
        """POST: change the document with this id or number, or create it. Raises Invalid."""
        asked = given.get(f"{kind}ID") or given.get(f"{kind}Number")
        try:
            key = self._ledger.find(kind, str(asked)) if asked else None
        except NotFound:
            if given.get(f"{kind}ID"):
                raise Invalid(f"{kind} not found") from None
            key = None
        if key is None:
            return self.create(kind, given, places=places)
        before = self._ledger.documents[kind][key]
        self._check_changeable(kind, key, before, given)
        return self._write(Change(kind=kind, key=key, before=before), given, places=places)

    def _check_changeable(self, kind: str, key: str, before: Document, given: Document) -> None:
        status = given.get("Status") or before["Status"]
        if before["Status"] in ("VOIDED", "DELETED"):
            raise Invalid(f"{_words(kind)} not of valid status for modification")
        if status not in TRANSITIONS[before["Status"]]:
            raise Invalid(f"{_words(kind)} not of valid status for modification")
        settled = self._ledger.payments_of(key) or self._ledger.allocations_of(key)
        changes = set(given) - ALWAYS_CHANGEABLE - {f"{kind}ID", f"{kind}Number", "Status", "Type", "HasAttachments"}
        if settled and (status == "VOIDED" or changes):
            raise Invalid("This document cannot be edited as it has a payment or credit note allocated to it.")

    def _write(self, change: Change, given: Document, *, places: int) -> str:
        before = change.before or {}
        kind = change.kind
        if given.get("Type", TYPES[kind]) != TYPES[kind]:
            raise Invalid(f"The sandbox keeps documents of type {TYPES[kind]} only")
        status = given.get("Status") or before.get("Status") or "DRAFT"
        if status not in TRANSITIONS[before.get("Status", "")]:
            raise Invalid(f"{_words(kind)} not of valid status for modification")
        if status == "PAID":
            status = "AUTHORISED"
        document: Document = {name: before[name] for name in _PLAIN if name in before}
        document |= {name: given[name] for name in _PLAIN if given.get(name) is not None}
        document |= {
            "Number": self._number(kind, given, before),
            "Status": status,
            "ContactID": self._contact(given, before),
            "CurrencyCode": self._currency(given, before),
            **self._dates(given, before, status=status, kind=kind),
            **self._amounts(given, before, status=status, places=places),
        }
        self._check_lengths(document)
        self._ledger.write(kind, change.key, document)
        return change.key

    def _number(self, kind: str, given: Document, before: Document) -> str:
        number = given.get(f"{kind}Number") or before.get("Number")
        if number:
            return str(number)
        count = len(self._ledger.documents[kind]) + 1
        while self._ledger.by_number(kind, f"{PREFIXES[kind]}{count:04d}"):
            count += 1
        return f"{PREFIXES[kind]}{count:04d}"

    def _contact(self, given: Document, before: Document) -> str:
        if "Contact" not in given and before:
            return str(before["ContactID"])
        return self._contacts.resolve(given.get("Contact"))

    def _currency(self, given: Document, before: Document) -> str:
        code = given.get("CurrencyCode") or before.get("CurrencyCode") or BASE_CURRENCY
        if code not in CURRENCIES:
            raise Invalid(f"Organisation is not subscribed to currency {code}")
        return str(code)

    def _dates(self, given: Document, before: Document, *, status: str, kind: str) -> Document:
        day = to_day(given.get("Date"), name="Date") or before.get("Date") or self._ledger.clock.today()
        if kind == CREDIT_NOTE:
            return {"Date": day}
        due = to_day(given.get("DueDate"), name="DueDate") or before.get("DueDate")
        if status in FINAL and not due:
            raise Invalid("The document date cannot be empty: Due Date")
        if due and due < day:
            raise Invalid("The Due Date must not be earlier than the Date")
        return {"Date": day, "DueDate": due}

    def _amounts(self, given: Document, before: Document, *, status: str, places: int) -> Document:
        names = ("LineAmountTypes", "Lines", "SubTotal", "TotalTax", "Total")
        if "LineItems" not in given and before:
            if status in FINAL and before["Status"] not in FINAL:
                with_price(before["Lines"], amount_types=before["LineAmountTypes"], places=4, final=True)
            return {name: before[name] for name in names}
        types = given.get("LineAmountTypes") or before.get("LineAmountTypes") or "Exclusive"
        if types not in LINE_AMOUNT_TYPES:
            raise Invalid(f"LineAmountTypes: {types!r} is not valid")
        lines: Any = given.get("LineItems") or []
        if status in FINAL and not lines:
            raise Invalid("One or more line items must be specified")
        done = with_price(lines, amount_types=types, places=places, final=status in FINAL)
        if done.total < 0:
            raise Invalid("The document total must not be less than zero")
        return dict(zip(names, (types, done.lines, done.sub_total, done.total_tax, done.total), strict=True))

    def _check_lengths(self, document: Document) -> None:
        for name in ("Number", "Reference"):
            if len(str(document.get(name) or "")) > _MOST_CHARACTERS:
                raise Invalid(f"{name} exceeds the maximum length of {_MOST_CHARACTERS}")


def _words(kind: str) -> str:
    return "Invoice" if kind == INVOICE else "Credit note"
