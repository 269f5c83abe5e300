"""What Xero says of our documents: payments as they come, and the nightly reconciliation of every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.client import Json, Xero, xero_date

NOTE = "credit_note"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where Xero and we differ."""

    number: str
    field: str
    ours: str
    xeros: str


def watch_payments(*, engine: sa.Engine, xero: Xero, clock: Clock, customer: str | None = None) -> list[str]:
    """Read every open document (of a customer) in Xero and note what was paid; returns the numbers that changed.

    Raises XeroError: then nothing is noted, and what we knew keeps its age.
    """
    with engine.connect() as connection:
        documents = [
            row for row in sql(connection, "invoicing/open_documents", all=False) if customer in (None, row.customer)
        ]
    answers = _read(xero, documents)
    changed = []
    with engine.begin() as connection:
        for document in documents:
            if (answer := answers.get(document.number)) and _note(
                connection, document=document, answer=answer, now=clock.now()
            ):
                changed.append(document.number)
        if changed:
            audit.record(
                connection, now=clock.now(), action="watch_payments", subject="documents", details={"changed": changed}
            )
    return changed


def reconcile(*, engine: sa.Engine, xero: Xero, clock: Clock) -> list[Difference]:
    """Compare every document with Xero; a difference stands in `report.reconciliation` while it lasts."""
    with engine.connect() as connection:
        documents = sql(connection, "invoicing/open_documents", all=True).all()
    answers = _read(xero, documents)
    differences = [
        difference for document in documents for difference in _compare(document, answers.get(document.number))
    ]
    now = clock.now()
    with engine.begin() as connection:
        for document in documents:
            if answer := answers.get(document.number):
                _note(connection, document=document, answer=answer, now=now)
        columns = {
            f"{name}s" if name != "xeros" else name: [getattr(difference, name) for difference in differences]
            for name in ("number", "field", "xeros")
        }
        sql(connection, "invoicing/settle_differences", now=now, **columns)
        for difference in differences:
            values = {name: getattr(difference, name) for name in ("number", "field", "ours", "xeros")}
            sql(connection, "invoicing/note_difference", now=now, **values)
        sql(
            connection, "invoicing/note_reconciliation", now=now, documents=len(documents), differences=len(differences)
        )
    return differences


def _read(xero: Xero, documents: Sequence[Any]) -> dict[str, Json]:
    ids = [document.xero_id for document in documents if document.kind != NOTE]
    answers = {answer["InvoiceNumber"]: answer for answer in xero.invoices_by_id(ids)}
    for document in documents:
        if document.kind == NOTE and (note := xero.credit_note(document.number)):
            answers[document.number] = note
    return answers


def _note(connection: sa.Connection, *, document: Any, answer: Json, now: datetime) -> bool:
    """Write what Xero says; True when money moved or the state changed."""
    sign = -1 if document.kind == NOTE else 1
    state = {"PAID": "paid", "VOIDED": "voided", "DELETED": "voided"}.get(answer["Status"], "issued")
    due = Decimal(answer["RemainingCredit"] if document.kind == NOTE else answer["AmountDue"])
    paid, credited = Decimal(answer.get("AmountPaid") or 0), Decimal(answer.get("AmountCredited") or 0)
    amounts = {"due": sign * due, "paid": sign * paid, "credited": sign * credited}
    sql(connection, "invoicing/note_amounts", document_id=document.document_id, state=state, now=now, **amounts)
    if document.kind == NOTE:
        return bool(state != document.state)
    moved = [_note_payment(connection, document=document, now=now, **event) for event in _events(answer)]
    moved.append(_note_reversals(connection, document=document, answer=answer, now=now))
    return any(moved) or state != document.state


def _events(answer: Json) -> list[dict[str, Any]]:
    payments = [
        {
            "xero_id": payment["PaymentID"],
            "kind": "payment",
            "paid_on": xero_date(payment["Date"]),
            "amount": Decimal(payment["Amount"]),
        }
        for payment in answer.get("Payments") or []
        if payment.get("Status") != "DELETED"
    ]
    credits = [
        {
            "xero_id": note["CreditNoteID"],
            "kind": "credit",
            "paid_on": xero_date(note["Date"]),
            "amount": Decimal(note["AppliedAmount"]),
        }
        for note in answer.get("CreditNotes") or []
        if note.get("AppliedAmount")
    ]
    return payments + credits


def _note_payment(connection: sa.Connection, *, document: Any, now: datetime, **event: Any) -> bool:
    return bool(sql(connection, "invoicing/note_payment", document_id=document.document_id, now=now, **event).rowcount)


def _note_reversals(connection: sa.Connection, *, document: Any, answer: Json, now: datetime) -> bool:
    present = [event["xero_id"] for event in _events(answer)]
    gone = sql(connection, "invoicing/gone_payments", document_id=document.document_id, present=present).all()
    for row in gone:
        event = {"xero_id": row.xero_id, "kind": "reversal", "paid_on": now.date(), "amount": -row.amount}
        _note_payment(connection, document=document, now=now, **event)
    return bool(gone)


def _compare(document: Any, answer: Mapping[str, Any] | None) -> list[Difference]:
    if answer is None:
        return [Difference(number=document.number, field="exists", ours="yes", xeros="no")]
    pairs = {
        "contact": (document.contact_id, answer["Contact"]["ContactID"]),
        "currency": (document.currency, answer["CurrencyCode"]),
        "total": (f"{abs(document.total):.2f}", f"{Decimal(answer['Total']):.2f}"),
        "status": ("live", "gone" if answer["Status"] in ("VOIDED", "DELETED", "DRAFT", "SUBMITTED") else "live"),
    }
    if document.kind != NOTE:
        pairs["due date"] = (document.due_on.isoformat(), xero_date(answer["DueDate"]).isoformat())
    return [
        Difference(number=document.number, field=field, ours=ours, xeros=theirs)
        for field, (ours, theirs) in pairs.items()
        if ours != theirs
    ]
