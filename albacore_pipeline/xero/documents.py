"""Invoices and credit notes: drafted, approved, marked as sent; and how one finds out what became of a lost call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

from albacore_pipeline.effects.interface import Cancelled, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.xero import batch
from albacore_pipeline.xero.interface import (
    CreditNote,
    Document,
    DraftDocument,
    InXero,
    Kind,
    Objection,
    Organisation,
    Read,
    Rejected,
    Status,
)

# Drafts


def send_drafts(xero: Organisation, drafts: Sequence[DraftDocument], *, key: str) -> dict[str, Outcome]:
    """Draft invoices in one call and credit notes in another; outcomes by number, with Xero's `id` and `total`.

    A draft has succeeded when Xero's agrees with ours; a number that Xero has already is in doubt.
    """
    outcomes: dict[str, Outcome] = {}
    for kind, create in ((Kind.INVOICE, xero.create_invoices), (Kind.CREDIT_NOTE, xero.create_credit_notes)):
        ours = {draft.number: draft for draft in drafts if draft.kind is kind}
        call = partial(create, list(ours.values()), key=f"{key}-{kind}")
        outcomes |= batch.written(list(ours), call, accepted=partial(_adopt, ours), rejected=_not_drafted)
    return outcomes


def look_up_drafts(xero: Organisation, drafts: Sequence[DraftDocument]) -> dict[str, Outcome]:
    """Find documents by their numbers, invoices in one call and each credit note in its own; adopt what agrees."""
    ours = {draft.number: draft for draft in drafts}
    invoices = [draft.number for draft in drafts if draft.kind is Kind.INVOICE]
    notes = [draft.number for draft in drafts if draft.kind is Kind.CREDIT_NOTE]
    find = partial(batch.looked_up, found=partial(_adopt, ours), missing=Later("Xero does not have it"))
    outcomes: dict[str, Outcome] = find(invoices, partial(xero.invoices_by_number, invoices))
    for number in notes:
        outcomes |= find([number], _reading_note(xero, number))
    return outcomes


def _not_drafted(answer: Rejected) -> Outcome:
    if answer.objection is Objection.NUMBER_TAKEN:
        return Unknown("Xero has the number already")
    return Parked(answer.words)


def _adopt(drafts: dict[str, DraftDocument], document: Document) -> Outcome:
    """Take what Xero has for ours if customer, date, currency and total agree; else a person must look."""
    draft = drafts[document.number]
    pairs = {
        "customer": (draft.contact_id, document.contact_id),
        "date": (draft.issued_on, document.issued_on),
        "currency": (draft.currency, document.currency),
        "total": (draft.total, document.total),
    }
    for field, (ours, theirs) in pairs.items():
        if ours != theirs:
            return Parked(f"Xero's {field} is {theirs}, ours is {ours}: mend the draft in Xero, or delete it there")
    return Succeeded({"id": document.id, "total": str(document.total)})


# Approvals


def send_approvals(xero: Organisation, documents: Sequence[InXero], *, key: str) -> dict[str, Outcome]:
    """Approve drafts, invoices in one call and credit notes in another; outcomes by id.

    One that is no draft any more is in doubt: a person may have approved it.
    """
    outcomes: dict[str, Outcome] = {}
    for kind, approve in ((Kind.INVOICE, xero.approve_invoices), (Kind.CREDIT_NOTE, xero.approve_credit_notes)):
        ids = [document.id for document in documents if document.kind is kind]
        outcomes |= batch.written(
            ids, partial(approve, ids, key=f"{key}-{kind}"), accepted=_approved, rejected=_not_approved
        )
    return outcomes


def look_up_approvals(xero: Organisation, documents: Sequence[InXero]) -> dict[str, Outcome]:
    """Read where the documents stand; outcomes by id."""
    invoices = [document.id for document in documents if document.kind is Kind.INVOICE]
    missing = Unknown("Xero does not show it")
    outcomes = batch.looked_up(
        invoices,
        lambda: xero.invoices_by_id(invoices).elements,
        found=lambda invoice: _where_it_stands(invoice.status),
        missing=missing,
    )
    notes = [document.id for document in documents if document.kind is Kind.CREDIT_NOTE]
    return outcomes | batch.looked_up(
        notes,
        lambda: xero.credit_notes_by_id(notes).elements,
        found=lambda note: _where_it_stands(note.status),
        missing=missing,
    )


def _approved(status: Status) -> Outcome:
    if status in (Status.AUTHORISED, Status.PAID):
        return Succeeded({"status": status})
    return Unknown(f"Xero answered that it is {status}")


def _not_approved(answer: Rejected) -> Outcome:
    if answer.objection is Objection.NOT_CHANGEABLE:
        return Unknown("it is no draft any more")
    return Parked(answer.words)


def _where_it_stands(status: Status) -> Outcome:
    match status:
        case Status.AUTHORISED | Status.PAID:
            return Succeeded({"status": status})
        case Status.DRAFT:
            return Later("still a draft")
        case Status.SUBMITTED | Status.VOIDED | Status.DELETED:
            return Parked(f"Xero says it is {status}")
    assert_never(status)


# Marks


def mark_sent(xero: Organisation, ids: Sequence[str], *, key: str) -> dict[str, Outcome]:
    """Note on invoices, in one call, that the customer has them; once more does no harm. Outcomes by id."""
    return batch.written(ids, partial(xero.mark_sent, ids, key=key), accepted=_marked, rejected=_not_marked)


def look_up_marks(ids: Sequence[str]) -> dict[str, Outcome]:
    """Marking an invoice again is harmless, so nothing needs to be looked up."""
    return {each: Later("marking it again") for each in ids}


def _marked(status: Status) -> Outcome:
    return Succeeded({"status": status})


def _not_marked(answer: Rejected) -> Outcome:
    if answer.objection is Objection.NOT_CHANGEABLE:
        return Cancelled("the document was settled before it was marked")
    return Parked(answer.words)


def _reading_note(xero: Organisation, number: str) -> Callable[[], Sequence[Read[CreditNote]]]:
    def read() -> Sequence[Read[CreditNote]]:
        note = xero.credit_note(number)
        return [note] if note else []

    return read
