"""What a person does on Xero's own pages, without us: money that is entered, and documents that are edited.

Belongs here: those acts, as a story or a test asks for them.
Does not belong here: the API (`api.py`), whose rules hold here too.
"""

from __future__ import annotations

from decimal import Decimal

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Document
from albacore_sandbox.xero.advances import Advances, Received
from albacore_sandbox.xero.contacts import Contacts
from albacore_sandbox.xero.documents import Documents
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE, Ledger
from albacore_sandbox.xero.reference import BASE_CURRENCY
from albacore_sandbox.xero.wire import Invalid, NotFound, to_day, to_decimal

KINDS = ("overpayment", "prepayment", "credit_note")
EDITS = {"date": "Date", "due": "DueDate", "currency": "CurrencyCode", "reference": "Reference"}


class ByHand:
    """A person at Xero's pages."""

    def __init__(
        self, *, clock: WorldClock, ledger: Ledger, contacts: Contacts, documents: Documents, advances: Advances
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._contacts = contacts
        self._documents = documents
        self._advances = advances

    def enter_money(self, given: Document) -> str:
        """Money of a contact's that is set against nothing; its id. Raises Invalid and NotFound.

        `{"kind", "contact", "amount", "currency"?, "on"?, "number"?, "spent"?}`; the contact by number or id.
        """
        kind, amount = given.get("kind"), to_decimal(given.get("amount"), name="amount")
        if kind not in KINDS or amount is None or amount <= 0:
            raise Invalid(f"say kind ({', '.join(KINDS)}) and a positive amount")
        received = Received(
            contact=self._contacts.key(str(given.get("contact"))),
            currency=str(given.get("currency") or BASE_CURRENCY),
            amount=amount,
            day=to_day(given.get("on"), name="on") or self._clock.today(),
            number=given.get("number"),
            spent=bool(given.get("spent")),
        )
        if kind == "credit_note":
            return self._credit_note(received)
        return self._advances.enter("Overpayments" if kind == "overpayment" else "Prepayments", received)

    def pay_back(self, given: Document) -> None:
        """An overpayment or prepayment goes back to whom it came from: `{"id", "amount"?}`."""
        self._advances.use(str(given.get("id")), to_decimal(given.get("amount"), name="amount"))

    def edit(self, given: Document) -> str:
        """Change an invoice or a credit note; its id. Raises Invalid and NotFound.

        `{"number"}` and any of `date`, `due`, `currency`, `reference`, `contact` (by number or id), `rename`, `void`,
        and of the first line `quantity`, `unit_price`, `tax_type`.
        """
        number = str(given.get("number"))
        kind = INVOICE if self._ledger.by_number(INVOICE, number) else CREDIT_NOTE
        key = self._ledger.find(kind, number)
        change: Document = {f"{kind}ID": key}
        change |= {theirs: given[ours] for ours, theirs in EDITS.items() if ours in given}
        if "contact" in given:
            change["Contact"] = {"ContactID": self._contacts.key(str(given["contact"]))}
        if "rename" in given:
            change[f"{kind}Number"] = self._free(kind, str(given["rename"]))
        if {"quantity", "unit_price", "tax_type"} & given.keys():
            change["LineItems"] = self._lines(kind, key, given)
        if given.get("void"):
            change["Status"] = "VOIDED"
        return self._documents.save(kind, change, places=4)

    def _credit_note(self, received: Received) -> str:
        line: Document = {"Description": "Goodwill", "Quantity": Decimal(1), "UnitAmount": received.amount}
        line |= {"AccountCode": "200", "TaxType": "NONE"}
        note: Document = {"Contact": {"ContactID": received.contact}, "CurrencyCode": received.currency}
        note |= {"Date": received.day, "Status": "AUTHORISED", "LineItems": [line]}
        note |= {"CreditNoteNumber": received.number} if received.number else {}
        return self._documents.create(CREDIT_NOTE, note, places=4)

    def _free(self, kind: str, number: str) -> str:
        if self._ledger.by_number(kind, number):
            raise Invalid(f"{kind} # must be unique.")
        return number

    def _lines(self, kind: str, key: str, given: Document) -> list[Document]:
        lines = self._ledger.documents[kind][key]["Lines"]
        if not lines:
            raise NotFound(f"lines of {key}")
        names = ("LineItemID", "Description", "Quantity", "UnitAmount", "TaxType", "AccountCode")
        first, *others = [{name: line[name] for name in names if name in line} for line in lines]
        asked = {"Quantity": "quantity", "UnitAmount": "unit_price", "TaxType": "tax_type"}
        return [first | {theirs: given[ours] for theirs, ours in asked.items() if ours in given}, *others]
