"""What Xero says of our documents: payments as they come, and the nightly reconciliation of every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

import sqlalchemy as sa

from albacore_pipeline.effects import audit
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.queries import OpenDocument
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.batch import by_identity
from albacore_pipeline.xero.interface import (
    AnswerLost,
    CreditNote,
    Invoice,
    Organisation,
    Seen,
    Status,
    Unreadable,
)

NOTE = "credit_note"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where Xero and we differ."""

    number: str
    field: str
    ours: str
    xeros: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Money that moved: a `payment`, a `credit`, or the `reversal` of either, which is negative."""

    xero_id: str
    kind: str
    paid_on: date
    amount: Decimal


Shown = Seen[Invoice] | Seen[CreditNote] | Unreadable


def watch_payments(*, engine: sa.Engine, xero: Organisation, clock: Clock, customer: str | None = None) -> list[str]:
    """Read every open document (of a customer) in Xero and note what was paid; returns the numbers that changed.

    Raises XeroError: then what we knew keeps its age. What can't be read of one document keeps back no other: those
    are noted first.
    """
    documents = [row for row in _open_documents(engine, settled=False) if customer in (None, row.customer)]
    answers = _read(xero, documents)
    changed = []
    with engine.begin() as connection:
        for document in documents:
            answer = answers.get(document.number)
            if isinstance(answer, Seen) and _note(connection, document=document, seen=answer.value, now=clock.now()):
                changed.append(document.number)
        if changed:
            audit.record(
                connection, now=clock.now(), action="watch_payments", subject="documents", details={"changed": changed}
            )
    for number, answer in answers.items():
        if isinstance(answer, Unreadable):
            raise AnswerLost(f"{number}: {answer.words}")
    return changed


def reconcile(*, engine: sa.Engine, xero: Organisation, clock: Clock) -> list[Difference]:
    """Compare every document with Xero; a difference stands in `report.reconciliation` while it lasts.

    Raises XeroError: then nothing is noted.
    """
    documents = _open_documents(engine, settled=True)
    answers = _read(xero, documents)
    differences = [
        difference for document in documents for difference in _compare(document, answers.get(document.number))
    ]
    now = clock.now()
    with engine.begin() as connection:
        for document in documents:
            if isinstance(answer := answers.get(document.number), Seen):
                _note(connection, document=document, seen=answer.value, now=now)
        _keep(connection, differences, documents=len(documents), now=now)
    return differences


def _open_documents(engine: sa.Engine, *, settled: bool) -> list[OpenDocument]:
    with engine.connect() as connection:
        return queries.open_documents(connection, all=settled)


def _read(xero: Organisation, documents: Sequence[OpenDocument]) -> Mapping[str, Shown]:
    """What Xero shows of each document, by our number; what it does not show is left out."""
    ids = {document.xero_id: document.number for document in documents if document.kind != NOTE}
    found = by_identity(list(ids), xero.invoices_by_id(list(ids)))
    answers: dict[str, Shown] = {ids[xero_id]: answer for xero_id, answer in found.items()}
    for document in documents:
        if document.kind == NOTE and (note := xero.credit_note(document.number)):
            answers[document.number] = note
    return answers


def _note(connection: sa.Connection, *, document: OpenDocument, seen: Invoice | CreditNote, now: datetime) -> bool:
    """Write what Xero says; True when money moved or the state changed."""
    state = _state(seen.status)
    match seen:
        case Invoice(amount_due=due, amount_paid=paid, amount_credited=credited):
            pass
        case CreditNote(remaining=remaining):
            due, paid, credited = -remaining, Decimal(0), Decimal(0)
    queries.note_amounts(
        connection, document_id=document.document_id, due=due, paid=paid, credited=credited, state=state, now=now
    )
    moved = isinstance(seen, Invoice) and _note_money(connection, document=document, invoice=seen, now=now)
    return moved or state != document.state


def _state(status: Status) -> str:
    """Our state of a document that was issued, by Xero's status."""
    match status:
        case Status.PAID:
            return "paid"
        case Status.VOIDED | Status.DELETED:
            return "voided"
        case Status.DRAFT | Status.SUBMITTED | Status.AUTHORISED:
            return "issued"
    assert_never(status)


def _note_money(connection: sa.Connection, *, document: OpenDocument, invoice: Invoice, now: datetime) -> bool:
    """Write payments and credits that are new, and take back those that are gone; True if there were any."""
    events = _events(invoice)
    present = [event.xero_id for event in events]
    reversed_payments = queries.reversed_payments(connection, document_id=document.document_id, present=present)
    events += [
        Event(xero_id=row.xero_id, kind="reversal", paid_on=now.date(), amount=-row.amount) for row in reversed_payments
    ]
    noted = [
        queries.note_payment(
            connection,
            document_id=document.document_id,
            xero_id=event.xero_id,
            kind=event.kind,
            paid_on=event.paid_on,
            amount=event.amount,
            now=now,
        )
        for event in events
    ]
    return any(noted)


def _events(invoice: Invoice) -> list[Event]:
    payments = [
        Event(xero_id=payment.id, kind="payment", paid_on=payment.on, amount=payment.amount)
        for payment in invoice.payments
    ]
    credits = [
        Event(xero_id=credit.credit_note_id, kind="credit", paid_on=credit.on, amount=credit.amount)
        for credit in invoice.credits
        if credit.amount
    ]
    return payments + credits


def _compare(document: OpenDocument, answer: Shown | None) -> list[Difference]:
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
        "currency": (document.currency, seen.currency),
        "total": (f"{abs(document.total):.2f}", f"{seen.total:.2f}"),
        "status": ("live", "live" if seen.status in (Status.AUTHORISED, Status.PAID) else "gone"),
    }
    if isinstance(seen, Invoice):
        pairs["due date"] = (document.due_on.isoformat(), seen.due_on.isoformat() if seen.due_on else "none")
    return pairs


def _keep(connection: sa.Connection, differences: Sequence[Difference], *, documents: int, now: datetime) -> None:
    """Note the differences that there are, and settle those that are no more."""
    queries.settle_differences(
        connection,
        numbers=[difference.number for difference in differences],
        fields=[difference.field for difference in differences],
        xeros=[difference.xeros for difference in differences],
        now=now,
    )
    for each in differences:
        queries.note_difference(
            connection, number=each.number, field=each.field, ours=each.ours, xeros=each.xeros, now=now
        )
    queries.note_reconciliation(connection, documents=documents, differences=len(differences), now=now)
