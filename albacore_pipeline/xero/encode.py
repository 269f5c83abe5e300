"""From types to Xero's JSON: the only place that writes it. Decimals become JSON numbers only here.

Shapes: Xero's OpenAPI document, accounting, version 16.1. Does not belong here: what goes into a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from albacore_pipeline.xero.interface import Allocation, ContactDetails, DraftDocument, DraftLine, Kind

Json = dict[str, Any]


def contacts(details: Sequence[ContactDetails]) -> Json:
    """Contacts to create or update by their numbers."""
    return {"Contacts": [_contact(each) for each in details]}


def drafts(documents: Sequence[DraftDocument], kind: Kind) -> Json:
    """Documents to draft, all of one kind."""
    if kind is Kind.CREDIT_NOTE:
        return {"CreditNotes": [_credit_note(each) for each in documents]}
    return {"Invoices": [_invoice(each) for each in documents]}


def approvals(ids: Sequence[str], kind: Kind) -> Json:
    """Drafts that are to count."""
    if kind is Kind.CREDIT_NOTE:
        return {"CreditNotes": [{"CreditNoteID": each, "Status": "AUTHORISED"} for each in ids]}
    return {"Invoices": [{"InvoiceID": each, "Status": "AUTHORISED"} for each in ids]}


def sent_marks(ids: Sequence[str]) -> Json:
    """Invoices that the customer has."""
    return {"Invoices": [{"InvoiceID": each, "SentToContact": True} for each in ids]}


def allocation(given: Allocation) -> Json:
    """One allocation."""
    target = {"InvoiceID": given.invoice_id}
    return {"Allocations": [{"Invoice": target, "Amount": float(given.amount), "Date": given.on.isoformat()}]}


def id_is_one_of(ids: Sequence[str]) -> str:
    """The filter that finds credit notes by their ids: their list has no parameter for that, as invoices' has."""
    return " OR ".join(f'CreditNoteID==guid("{each}")' for each in ids)


def is_open() -> str:
    """The filter that finds what is approved and not used up."""
    return 'Status=="AUTHORISED"'


def number_is(number: str) -> str:
    """The filter that finds a credit note by its number."""
    return f'CreditNoteNumber=="{number}"'


def _contact(details: ContactDetails) -> Json:
    return {
        "ContactNumber": details.number,
        "Name": details.name,
        "EmailAddress": details.email,
        "TaxNumber": details.tax_number,
        "Addresses": [{"AddressType": "STREET", "AddressLine1": details.address, "Country": details.country}],
    }


def _invoice(document: DraftDocument) -> Json:
    own = {"Type": "ACCREC", "InvoiceNumber": document.number, "DueDate": document.due_on.isoformat()}
    return _document(document) | own


def _credit_note(document: DraftDocument) -> Json:
    return _document(document) | {"Type": "ACCRECCREDIT", "CreditNoteNumber": document.number}


def _document(document: DraftDocument) -> Json:
    remarks = [{"Description": document.remark}] if document.remark else []
    return {
        "Contact": {"ContactID": document.contact_id},  # and no more: Xero would change the contact
        "Date": document.issued_on.isoformat(),
        "LineAmountTypes": "Exclusive",
        "Reference": document.reference,
        "CurrencyCode": document.currency,
        "Status": "DRAFT",
        "LineItems": [_line(line) for line in document.lines] + remarks,
    }


def _line(line: DraftLine) -> Json:
    return {
        "Description": line.description,
        "Quantity": float(line.quantity),
        "UnitAmount": float(line.unit_price),
        "TaxType": line.tax_type,
        "AccountCode": line.account,
    }
