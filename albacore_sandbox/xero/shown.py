"""How kept documents look on the wire.

Belongs here: invoices, credit notes, payments and allocations in Xero's shapes.
Does not belong here: any rule.
"""

from __future__ import annotations

from albacore_sandbox.store import Document
from albacore_sandbox.xero.contacts import Contacts
from albacore_sandbox.xero.documents import TYPES
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE, Ledger
from albacore_sandbox.xero.reference import account_id
from albacore_sandbox.xero.wire import ZERO, day_ms_date, day_string, ms_date


class Shown:
    """Kept documents in wire form."""

    def __init__(self, *, ledger: Ledger, contacts: Contacts) -> None:
        self._ledger = ledger
        self._contacts = contacts

    def document(self, kind: str, key: str, *, full: bool = True) -> Document:
        """An invoice or credit note; without `full` it has no lines, as in lists without pages."""
        kept = self._ledger.documents[kind][key]
        contact = kept["ContactID"]
        brief = {"ContactID": contact, "Name": self._contacts.shown(contact)["Name"]}
        shown: Document = {
            "Type": TYPES[kind],
            f"{kind}ID": key,
            f"{kind}Number": kept["Number"],
            "Reference": kept.get("Reference", ""),
            "Contact": self._contacts.brief(contact) if full else brief,
            "DateString": day_string(kept["Date"]),
            "Date": day_ms_date(kept["Date"]),
            "Status": kept["Status"],
            "LineAmountTypes": kept["LineAmountTypes"],
            "LineItems": kept["Lines"] if full else [],
            **{name: kept[name] for name in ("SubTotal", "TotalTax", "Total", "CurrencyCode")},
            "CurrencyRate": 1,
            "SentToContact": bool(kept.get("SentToContact", False)),
            "HasAttachments": False,
            "HasErrors": False,
            "UpdatedDateUTC": ms_date(kept["updated"]),
            **{name: kept[name] for name in ("Url", "BrandingThemeID") if name in kept},
        }
        if kept["FullyPaidOn"]:
            shown["FullyPaidOnDate"] = day_ms_date(kept["FullyPaidOn"])
        return shown | (self._as_invoice(key, kept) if kind == INVOICE else self._as_credit_note(key, kept))

    def payment(self, key: str) -> Document:
        """A payment."""
        kept = self._ledger.payments[key]
        kind, target = kept["Kind"], kept["DocumentID"]
        document = self._ledger.documents[kind][target]
        contact = {"ContactID": document["ContactID"], "Name": self._contacts.shown(document["ContactID"])["Name"]}
        named: Document = {f"{kind}ID": target, f"{kind}Number": document["Number"], "Type": TYPES[kind]}
        named |= {"Contact": contact, "CurrencyCode": document["CurrencyCode"], "HasErrors": False}
        return {
            "PaymentID": key,
            "Date": day_ms_date(kept["Date"]),
            "BankAmount": kept["Amount"],
            "Amount": kept["Amount"],
            "CurrencyRate": 1,
            "PaymentType": "ACCRECPAYMENT" if kind == INVOICE else "ARCREDITPAYMENT",
            "Status": kept["Status"],
            "Reference": kept["Reference"],
            "HasAccount": True,
            "IsReconciled": False,
            "HasValidationErrors": False,
            "Account": {"AccountID": account_id(kept["Account"]), "Code": kept["Account"]},
            "UpdatedDateUTC": ms_date(kept["updated"]),
            kind: named,
        }

    def allocation(self, key: str) -> Document:
        """An allocation."""
        kept = self._ledger.allocations[key]
        number = self._ledger.documents[INVOICE][kept["InvoiceID"]]["Number"]
        return {
            "AllocationID": key,
            "Amount": kept["Amount"],
            "Date": day_ms_date(kept["Date"]),
            "Invoice": {"InvoiceID": kept["InvoiceID"], "InvoiceNumber": number},
            "IsDeleted": False,
        }

    def _as_invoice(self, key: str, kept: Document) -> Document:
        due = kept.get("DueDate")
        dates = {"DueDateString": day_string(due), "DueDate": day_ms_date(due)} if due else {}
        sums = {"AmountDue": kept["Due"], "AmountPaid": kept["Paid"], "AmountCredited": kept["Credited"]}
        notes = [self._applied(a) for _, a in self._ledger.allocations_of(key)]
        more = {"Payments": self._payments(key), "CreditNotes": notes, "Prepayments": [], "Overpayments": []}
        return dates | sums | more | {"IsDiscounted": False}

    def _as_credit_note(self, key: str, kept: Document) -> Document:
        allocations = [self.allocation(each) for each, _ in self._ledger.allocations_of(key)]
        sums = {"RemainingCredit": kept["Due"], "AppliedAmount": kept["Credited"] or ZERO}
        return sums | {"Allocations": allocations, "Payments": self._payments(key)}

    def _payments(self, key: str) -> list[Document]:
        return [
            {
                "PaymentID": each,
                "Date": day_ms_date(kept["Date"]),
                "Amount": kept["Amount"],
                "Reference": kept["Reference"],
                "CurrencyRate": 1,
                "HasAccount": True,
                "HasValidationErrors": False,
            }
            for each, kept in self._ledger.payments_of(key)
        ]

    def _applied(self, allocation: Document) -> Document:
        key = allocation["CreditNoteID"]
        note = self._ledger.documents[CREDIT_NOTE][key]
        head: Document = {"CreditNoteID": key, "CreditNoteNumber": note["Number"], "ID": key, "HasErrors": False}
        day = allocation["Date"]
        dates = {"DateString": day_string(day), "Date": day_ms_date(day)}
        return head | dates | {"AppliedAmount": allocation["Amount"], "Total": note["Total"], "LineItems": []}
