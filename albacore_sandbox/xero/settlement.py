"""What settles documents: payments, their deletion, and allocations of credit notes to invoices.

Belongs here: Xero's rules for them. None of them has a key of its own that would refuse a duplicate.
Does not belong here: the sums that follow (`ledger.py`).
"""

from __future__ import annotations

import uuid
from decimal import Decimal

from albacore_sandbox.store import Document
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE, Ledger
from albacore_sandbox.xero.reference import BANK_ACCOUNT, bank_account
from albacore_sandbox.xero.wire import Invalid, NotFound, to_day, to_decimal


class Settlement:
    """Payments and allocations."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def pay(self, given: Document) -> str:
        """A payment of an invoice, or a refund of a credit note; its id. Raises Invalid."""
        if given.get("PaymentID"):
            return self.delete(given)
        kind = CREDIT_NOTE if given.get("CreditNote") or given.get("CreditNoteNumber") else INVOICE
        named = given.get(kind) or {}
        key = self._find(kind, named.get(f"{kind}ID") or named.get(f"{kind}Number") or given.get(f"{kind}Number"))
        account = bank_account(given.get("Account") or {"Code": given.get("Code")})
        if account is None:
            raise Invalid("Account could not be found or does not take payments")
        amount, day = self._amount(given), to_day(given.get("Date"), name="Date")
        return self.settle(kind=kind, key=key, amount=amount, day=day, reference=str(given.get("Reference") or ""))

    def settle(self, *, kind: str, key: str, amount: Decimal, day: str | None, reference: str = "") -> str:
        """Keep a payment of a known document. Raises Invalid."""
        if self._ledger.documents[kind][key]["Status"] != "AUTHORISED":
            raise Invalid("Payments can only be made against Authorised documents")
        if amount > self._ledger.due(kind, key):
            raise Invalid("Payment amount exceeds the amount outstanding on this document")
        payment = str(uuid.uuid4())
        kept: Document = {"Kind": kind, "DocumentID": key, "Amount": amount, "Date": day or self._ledger.clock.today()}
        kept |= {"Status": "AUTHORISED", "Reference": reference, "Account": BANK_ACCOUNT}
        self._ledger.payments.put(payment, kept | {"updated": self._ledger.clock.now()})
        self._ledger.resettle(kind, key)
        return payment

    def delete(self, given: Document) -> str:
        """Delete a payment; its document is open again. Raises Invalid and NotFound."""
        key = str(given.get("PaymentID"))
        if key not in self._ledger.payments:
            raise NotFound(key)
        kept = self._ledger.payments[key]
        if given.get("Status") != "DELETED" or kept["Status"] == "DELETED":
            raise Invalid("A payment can only be changed by deleting it once")
        self._ledger.payments.put(key, {**kept, "Status": "DELETED", "updated": self._ledger.clock.now()})
        self._ledger.resettle(kept["Kind"], kept["DocumentID"])
        return key

    def allocate(self, note: str, given: Document) -> str:
        """Apply an amount of a credit note to an invoice; the allocation's id. Raises Invalid."""
        named = given.get("Invoice") or {}
        invoice = self._find(INVOICE, named.get("InvoiceID") or named.get("InvoiceNumber"))
        amount, day = self._amount(given), to_day(given.get("Date"), name="Date") or self._ledger.clock.today()
        ours, theirs = self._ledger.documents[CREDIT_NOTE][note], self._ledger.documents[INVOICE][invoice]
        if ours["Status"] not in ("AUTHORISED", "PAID"):
            raise Invalid("The credit note must be authorised before it can be allocated")
        if theirs["Status"] == "PAID":
            raise Invalid("The invoice you are trying to allocate to has already been paid off")
        if theirs["Status"] != "AUTHORISED":
            raise Invalid("Credit notes can only be allocated to authorised invoices")
        if ours["ContactID"] != theirs["ContactID"] or ours["CurrencyCode"] != theirs["CurrencyCode"]:
            raise Invalid("Credit note and invoice must have the same contact and currency")
        if amount > self._ledger.due(CREDIT_NOTE, note) or amount > self._ledger.due(INVOICE, invoice):
            raise Invalid("Credit Note cannot be allocated as amount is greater than amount outstanding")
        key = str(uuid.uuid4())
        self._ledger.allocations.put(key, {"CreditNoteID": note, "InvoiceID": invoice, "Amount": amount, "Date": day})
        self._ledger.resettle(CREDIT_NOTE, note)
        self._ledger.resettle(INVOICE, invoice)
        return key

    def _find(self, kind: str, asked: object) -> str:
        try:
            return self._ledger.find(kind, str(asked))
        except NotFound:
            raise Invalid(f"{kind} could not be found") from None

    def _amount(self, given: Document) -> Decimal:
        amount = to_decimal(given.get("Amount"), name="Amount")
        if amount is None or amount <= 0 or amount != round(amount, 2):
            raise Invalid("The amount must be greater than zero, with two decimals at most")
        return amount
