"""What Xero says of our documents and of money that is set against none of them.

Belongs here: reading, and keeping what was read. An answer is matched by Xero's id, never by a number, which a person
may change; a document that an answer lacks was not read, and keeps its state and its age.
Does not belong here: where a document differs (`differences.py`), and what follows from it (`escalation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

import sqlalchemy as sa

from albacore_pipeline.effects import audit
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.differences import Difference, Shown, compare
from albacore_pipeline.invoicing.queries import OpenDocument
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.batch import by_identity
from albacore_pipeline.xero.interface import (
    READ_BATCH,
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
class Sweep:
    """What a reading of Xero came to; documents are named by our numbers.

    `read` are those that Xero answered for, of which `changed` are those whose money or state moved. `missing` are
    those that its answer lacks, or says in a way that can't be read; `reasons` has a line for each. They are no younger
    than before. All that was read is as of `asked_at`, our Clock's, or later; `xero_date` is the time on Xero's last
    answer, None where it bore none.
    """

    changed: tuple[str, ...]
    read: frozenset[str]
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    asked_at: datetime
    xero_date: datetime | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Money that moved: a `payment`, a `credit`, or the `reversal` of either, which is negative."""

    xero_id: str
    kind: str
    paid_on: date
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Documents that were asked for in one go, and what Xero shows of them, by our number."""

    documents: Sequence[OpenDocument]
    answers: Mapping[str, Shown]
    asked: datetime
    dated: datetime | None


@dataclass(kw_only=True)
class _Noted:
    """What became of a part."""

    changed: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def watch_payments(*, engine: sa.Engine, xero: Organisation, clock: Clock) -> Sweep:
    """Read every open document and all unapplied money; note payments, edits, and what is left.

    Raises XeroError: what was read until then is noted, and the rest keeps its age.
    """
    with engine.connect() as connection:
        documents = queries.open_documents(connection)
    return _sweep(engine=engine, xero=xero, clock=clock, documents=documents)


def live_read(*, engine: sa.Engine, xero: Organisation, clock: Clock, numbers: Sequence[str]) -> Sweep:
    """Read just these documents, and all unapplied money; note it. A number that Xero never had is missing.

    Raises XeroError, as `watch_payments`: then nothing may be done that needs a live word.
    """
    with engine.connect() as connection:
        documents = queries.open_documents(connection, numbers=numbers)
    unknown = set(numbers) - {document.number for document in documents}
    return _sweep(engine=engine, xero=xero, clock=clock, documents=documents, unknown=sorted(unknown))


def reconcile(*, engine: sa.Engine, xero: Organisation, clock: Clock) -> list[Difference]:
    """Compare every document with Xero; a difference stands in `report.reconciliation` while it lasts.

    Raises XeroError, also where Xero shows none of what it was asked for; what was read until then is noted.
    """
    with engine.connect() as connection:
        documents = queries.open_documents(connection, all=True)
    differences, silent = list[Difference](), list[str]()
    for part in _read(xero, documents, clock):
        with engine.begin() as connection:
            differences += _note(connection, part, now=clock.now(), lacking=True).differences
        silent += [] if part.answers else [document.number for document in part.documents]
    if silent:
        raise AnswerLost(f"Xero shows none of the documents that it was asked for: {', '.join(silent[:3])}")
    with engine.begin() as connection:
        queries.note_reconciliation(connection, documents=len(documents), differences=len(differences), now=clock.now())
    return sorted(differences, key=lambda each: each.number)


def _sweep(
    *,
    engine: sa.Engine,
    xero: Organisation,
    clock: Clock,
    documents: Sequence[OpenDocument],
    unknown: Sequence[str] = (),
) -> Sweep:
    asked_at, dated = clock.now(), None
    changed, read = list[str](), set[str]()
    reasons = dict.fromkeys(unknown, "Xero never had it")
    for part in _read(xero, documents, clock):
        with engine.begin() as connection:
            changed += _note(connection, part, now=clock.now(), lacking=False).changed
        read |= {number for number, answer in part.answers.items() if isinstance(answer, Seen)}
        reasons |= _reasons(part)
        dated = part.dated
    if read or not documents:  # an answer without any document says nothing of money either
        dated = _note_unapplied(engine=engine, xero=xero, clock=clock)
    return Sweep(
        changed=tuple(changed),
        read=frozenset(read),
        missing=tuple(sorted(reasons)),
        reasons=tuple(f"{number}: {words}" for number, words in sorted(reasons.items())),
        asked_at=asked_at,
        xero_date=dated,
    )


def _reasons(part: _Part) -> dict[str, str]:
    """Why documents were not read, by number."""
    reasons = {}
    for document in part.documents:
        match part.answers.get(document.number):
            case None:
                reasons[document.number] = "Xero's answer lacks it"
            case Unreadable(words=words):
                reasons[document.number] = words
    return reasons


def _read(xero: Organisation, documents: Sequence[OpenDocument], clock: Clock) -> Iterator[_Part]:
    """Ask for invoices and for credit notes, a page's worth at a time: what was read stays, whatever follows."""
    notes = [document for document in documents if document.kind == NOTE]
    invoices = [document for document in documents if document.kind != NOTE]
    for kind in (invoices, notes):
        for start in range(0, len(kind), READ_BATCH):
            yield _read_part(xero, kind[start : start + READ_BATCH], clock)


def _read_part(xero: Organisation, documents: Sequence[OpenDocument], clock: Clock) -> _Part:
    numbers = {document.xero_id: document.number for document in documents}
    ids, asked = list(numbers), clock.now()
    found: Mapping[str, Shown]
    if documents[0].kind == NOTE:
        notes = xero.credit_notes_by_id(ids)
        found, dated = by_identity(ids, notes.elements), notes.dated
    else:
        invoices = xero.invoices_by_id(ids)
        found, dated = by_identity(ids, invoices.elements), invoices.dated
    answers = {numbers[xero_id]: answer for xero_id, answer in found.items()}
    return _Part(documents=documents, answers=answers, asked=asked, dated=dated)


def _note(connection: sa.Connection, part: _Part, *, now: datetime, lacking: bool) -> _Noted:
    """Write what Xero says of documents, and where it differs; with `lacking` also of which it says nothing."""
    noted, compared = _Noted(), []
    for document in part.documents:
        answer = part.answers.get(document.number)
        if isinstance(answer, Seen):
            moved = _note_document(connection, document, answer.value, asked=part.asked, now=now)
            if moved is None:
                continue
            noted.changed += [document.number] if moved else []
        elif not (lacking and part.answers):
            continue
        compared.append(document.number)
        noted.differences += compare(document, answer)
    _keep(connection, noted.differences, compared=compared, now=now)
    if noted.changed:
        audit.record(
            connection, now=now, action="watch_payments", subject="documents", details={"changed": noted.changed}
        )
    return noted


def _note_document(
    connection: sa.Connection, document: OpenDocument, seen: Invoice | CreditNote, *, asked: datetime, now: datetime
) -> bool | None:
    """Write what Xero says; True when money moved or the state changed, None when somebody knows better already."""
    state = _state(seen.status)
    match seen:
        case Invoice(amount_due=due, amount_paid=paid, amount_credited=credited):
            pass
        case CreditNote(remaining=remaining):
            due, paid, credited = -remaining, Decimal(0), Decimal(0)
    newest = queries.note_amounts(
        connection,
        document_id=document.document_id,
        due=due,
        paid=paid,
        credited=credited,
        state=state,
        asked=asked,
        now=now,
    )
    if not newest:
        return None
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
        Event(xero_id=credit.id, kind="credit", paid_on=credit.on, amount=credit.amount)
        for credit in invoice.credits
        if credit.amount
    ]
    return payments + credits


def _keep(
    connection: sa.Connection, differences: Sequence[Difference], *, compared: Sequence[str], now: datetime
) -> None:
    """Note the differences that there are, and settle those of compared documents that are no more."""
    queries.settle_differences(
        connection,
        compared=compared,
        numbers=[difference.number for difference in differences],
        fields=[difference.field for difference in differences],
        xeros=[difference.xeros for difference in differences],
        now=now,
    )
    for each in differences:
        queries.note_difference(
            connection, number=each.number, field=each.field, ours=each.ours, xeros=each.xeros, now=now
        )


def _note_unapplied(*, engine: sa.Engine, xero: Organisation, clock: Clock) -> datetime | None:
    """Keep what Xero shows as unapplied instead of what it showed before; the time on its answer."""
    asked = clock.now()
    reading = xero.unapplied()
    money, tenant = reading.elements, xero.tenant_id
    with engine.begin() as connection:
        if queries.note_unapplied_reading(connection, tenant=tenant, asked=asked, now=clock.now()):
            queries.forget_unapplied(connection, tenant=tenant, present=[each.id for each in money])
            queries.note_unapplied(
                connection,
                tenant=tenant,
                xero_ids=[each.id for each in money],
                kinds=[each.kind for each in money],
                numbers=[each.number for each in money],
                contact_ids=[each.contact_id for each in money],
                currencies=[each.currency for each in money],
                remaining=[each.remaining for each in money],
                entered_on=[each.on for each in money],
                asked=asked,
            )
    return reading.dated
