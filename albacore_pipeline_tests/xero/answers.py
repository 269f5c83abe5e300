"""Elements of Xero's answers as its OpenAPI document shows them, for the tests of the room."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

NO_ID = "00000000-0000-0000-0000-000000000000"
CONTACT_ID = "c0000000-0000-0000-0000-000000000001"


def key(number: str) -> str:
    """The id that an element of this number has."""
    return f"d0000000-0000-0000-0000-{int(number[-6:]):012d}"


def contact(number: str = "acme", **more: Any) -> Json:
    return {"ContactID": CONTACT_ID, "ContactNumber": number, "HasValidationErrors": False} | more


def invoice(number: str = "ALB-2025-000001", **more: Any) -> Json:
    """An approved invoice over 500, of which nothing is paid."""
    return {
        "Type": "ACCREC", "InvoiceID": key(number), "InvoiceNumber": number, "Contact": {"ContactID": CONTACT_ID},
        "Date": "/Date(1761955200000+0000)/", "DueDate": "2025-11-15T00:00:00", "Status": "AUTHORISED",
        "CurrencyCode": "NOK", "Total": 500.00, "AmountDue": 500.00, "AmountPaid": 0.0, "AmountCredited": 0.0,
        "Payments": [], "CreditNotes": [], "HasErrors": False,
    } | more  # fmt: skip


def credit_note(number: str = "ALB-2025-000002", **more: Any) -> Json:
    """An approved credit note over 50, of which nothing is used."""
    return {
        "Type": "ACCRECCREDIT", "CreditNoteID": key(number), "CreditNoteNumber": number,
        "Contact": {"ContactID": CONTACT_ID}, "Date": "2025-11-02", "Status": "AUTHORISED", "CurrencyCode": "NOK",
        "Total": 50.00, "RemainingCredit": 50.00, "Allocations": [],
    } | more  # fmt: skip


def payment(amount: float = 200.0, **more: Any) -> Json:
    return {"PaymentID": "p1", "Date": "/Date(1762732800000+0000)/", "Amount": amount} | more


def applied(amount: float = 50.0, **more: Any) -> Json:
    return {"CreditNoteID": "n1", "Date": "2025-11-03", "AppliedAmount": amount, "Total": 50.0} | more


def overpayment(identity: str = "o1", **more: Any) -> Json:
    """Money that a customer paid beyond an invoice, of which nothing is used."""
    return {
        "OverpaymentID": identity, "Type": "RECEIVE-OVERPAYMENT", "Contact": {"ContactID": CONTACT_ID},
        "Date": "2025-11-09", "Status": "AUTHORISED", "CurrencyCode": "NOK", "Total": 70.0, "RemainingCredit": 70.0,
    } | more  # fmt: skip


def prepayment(identity: str = "q1", **more: Any) -> Json:
    """Money that a customer paid before there was an invoice."""
    own = {"PrepaymentID": identity, "Type": "RECEIVE-PREPAYMENT", "InvoiceNumber": "P-1"}
    return without(overpayment(), "OverpaymentID") | own | more


def rejected(element: Json, *words: str) -> Json:
    """An element as Xero gives it back when it does not take it."""
    return element | {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": text} for text in words]}


def without(element: Json, *names: str) -> Json:
    return {name: value for name, value in element.items() if name not in names}


def parsed(content: object) -> object:
    """JSON as the client parses it."""
    return json.loads(json.dumps(content), parse_float=Decimal, parse_int=Decimal)
