"""From Xero's answers to types: with `wire.py`, the only place that reads its JSON and its English. Nothing is guessed.

An element is taken as a whole or says nothing: one that does not fit its shape becomes `Unreadable`, and the others
count. An answer of another shape altogether raises AnswerLost. Every function takes parsed JSON, numbers as Decimal.
Does not belong here: HTTP (`client.py`), and which answer belongs to which question (`batch.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from pydantic import ValidationError

from albacore_pipeline.xero import wire
from albacore_pipeline.xero.interface import (
    AnswerLost,
    Contact,
    CreditNote,
    Document,
    Invoice,
    Kind,
    NothingSent,
    Objection,
    Read,
    Rejected,
    Seen,
    Status,
    Unapplied,
    UnappliedKind,
    Unreadable,
    Written,
)
from albacore_pipeline.xero.paging import Page

T = TypeVar("T")
Shape = TypeVar("Shape", bound=wire.Shape)

SENTENCES = {"must be unique": Objection.NUMBER_TAKEN, "not of valid status": Objection.NOT_CHANGEABLE}
LONGEST = 500  # characters of Xero's words that are kept
NAMES = {
    Kind.INVOICE: ("Invoices", "InvoiceNumber", "InvoiceID"),
    Kind.CREDIT_NOTE: ("CreditNotes", "CreditNoteNumber", "CreditNoteID"),
}
HEADS: Mapping[Kind, type[wire.InvoiceHead] | type[wire.CreditNoteHead]] = {
    Kind.INVOICE: wire.InvoiceHead,
    Kind.CREDIT_NOTE: wire.CreditNoteHead,
}


UNAPPLIED: Mapping[
    UnappliedKind, tuple[str, type[wire.Overpayment] | type[wire.Prepayment] | type[wire.UnusedCreditNote]]
] = {
    UnappliedKind.OVERPAYMENT: ("Overpayments", wire.Overpayment),
    UnappliedKind.PREPAYMENT: ("Prepayments", wire.Prepayment),
    UnappliedKind.CREDIT_NOTE: ("CreditNotes", wire.UnusedCreditNote),
}


# Answers to writes


def contacts(content: object) -> list[Written[Contact]]:
    """Contacts as they were written, by number."""
    return _written(content, "Contacts", "ContactNumber", read=lambda each: wire.Contact.model_validate(each).seen)


def drafts(content: object, kind: Kind) -> list[Written[Document]]:
    """Documents as Xero drafted them, by number."""
    name, number, _ = NAMES[kind]
    return _written(content, name, number, read=lambda each: HEADS[kind].model_validate(each).head)


def statuses(content: object, kind: Kind) -> list[Written[Status]]:
    """Where documents stand after a change, by id."""
    name, _, id_name = NAMES[kind]
    return _written(content, name, id_name, read=lambda each: wire.Standing.model_validate(each).status)


def allocations(content: object) -> list[Written[Decimal]]:
    """Amounts that were allocated, by the invoice's id."""
    return _written(
        content, "Allocations", "Invoice", "InvoiceID", read=lambda each: wire.Allocation.model_validate(each).amount
    )


def attached(content: object) -> list[Written[str]]:
    """Names of files that were attached, by name."""
    return _written(content, "Attachments", "FileName", read=lambda each: wire.File.model_validate(each).name)


# Answers to reads


def invoice_heads(content: object) -> list[Read[Document]]:
    """Invoices without what settled them, by number."""
    return _shown(content, "Invoices", "InvoiceNumber", read=lambda each: wire.InvoiceHead.model_validate(each).head)


def invoices(content: object) -> list[Read[Invoice]]:
    """Whole invoices, by id."""
    return _shown(content, "Invoices", "InvoiceID", read=lambda each: wire.Invoice.model_validate(each).seen)


def credit_notes(content: object) -> list[Read[CreditNote]]:
    """Whole credit notes, by number."""
    return _shown(
        content, "CreditNotes", "CreditNoteNumber", read=lambda each: wire.CreditNote.model_validate(each).seen
    )


def credit_notes_by_id(content: object) -> list[Read[CreditNote]]:
    """Whole credit notes, by id."""
    return _shown(content, "CreditNotes", "CreditNoteID", read=lambda each: wire.CreditNote.model_validate(each).seen)


def unapplied(content: object, kind: UnappliedKind) -> Page[Unapplied | None]:
    """A page of money that is set against nothing; None for what is a supplier's or used up. Raises AnswerLost."""
    name, shape = UNAPPLIED[kind]
    elements = [_plainly(shape, each) for each in _elements(content, name)]
    return Page(elements=[(each.id, each.seen if each.counts else None) for each in elements], items=_items(content))


def file_names(content: object) -> list[str]:
    """The names of a document's files. Raises AnswerLost, also where one has none."""
    return [_plainly(wire.File, each).name for each in _elements(content, "Attachments")]


def online_invoice_url(content: object) -> str:
    """The address of the payment page, or an empty text. Raises AnswerLost."""
    return _plainly(wire.OnlineInvoice, _only(content, "OnlineInvoices")).url or ""


def reminders_enabled(content: object) -> bool:
    """Whether Xero's own reminders are on. Raises AnswerLost."""
    return _plainly(wire.Reminders, _only(content, "InvoiceReminders")).enabled


def refusal(body: bytes) -> str:
    """What Xero says in a refusal, shortened: text from outside, for people only."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return "Xero refused the call"
    elements = content.get("Elements")
    objections = [_objections(each) for each in (elements if isinstance(elements, list) else [content])]
    plain = [content[name] for name in ("Message", "Detail") if isinstance(content.get(name), str)]
    words = "; ".join(filter(None, objections)) or next(filter(None, plain), "Xero refused the call")
    return words[:LONGEST]


# The connection


def token(content: object) -> tuple[str, float]:
    """An access token, and for how many seconds it holds. Raises NothingSent."""
    try:
        given = wire.Token.model_validate(content)
    except ValidationError:
        raise NothingSent("Xero's token endpoint gave no token; check XERO_TOKEN_URL") from None
    return given.value, given.seconds


def tenant_ids(content: object) -> list[str]:
    """The organisations that a connection leads to. Raises NothingSent."""
    try:
        return [wire.Connection.model_validate(each).tenant_id for each in content] if isinstance(content, list) else []
    except ValidationError:
        raise NothingSent("Xero's list of connections can't be read; check XERO_API_URL") from None


# What these share


def _elements(content: object, name: str) -> list[object]:
    elements = content.get(name) if isinstance(content, dict) else None
    if not isinstance(elements, list):
        raise AnswerLost(f"Xero answered without {name}")
    return elements


def _items(content: object) -> int | None:
    """How many elements the whole list has, where a page says so. Raises AnswerLost."""
    paging = content.get("pagination") if isinstance(content, dict) else None
    return None if paging is None else int(_plainly(wire.Pagination, paging).items)


def _only(content: object, name: str) -> object:
    elements = _elements(content, name)
    if not elements:
        raise AnswerLost(f"Xero answered without {name}")
    return elements[0]


def _written(content: object, name: str, *identity: str, read: Callable[[object], T]) -> list[Written[T]]:
    return [_judged(element, *identity, read=read) for element in _elements(content, name)]


def _shown(content: object, name: str, *identity: str, read: Callable[[object], T]) -> list[Read[T]]:
    return [_seen(element, *identity, read=read) for element in _elements(content, name)]


def _judged(element: object, *identity: str, read: Callable[[object], T]) -> Written[T]:
    try:
        checked = wire.WriteAnswer.model_validate(element)
    except ValidationError as error:
        return Unreadable(identity=_identity(element, *identity), words=_unfit(error))
    if not checked.words and checked.status != "ERROR":
        return _seen(element, *identity, read=read)
    words = "; ".join(checked.words) or "Xero gives no reason"
    objection = next((meaning for sentence, meaning in SENTENCES.items() if sentence in words), Objection.OTHER)
    return Rejected(identity=_identity(element, *identity), objection=objection, words=words[:LONGEST])


def _seen(element: object, *identity: str, read: Callable[[object], T]) -> Read[T]:
    name = _identity(element, *identity)
    try:
        value = read(element)
    except ValidationError as error:
        return Unreadable(identity=name, words=_unfit(error))
    if not name:
        return Unreadable(identity="", words=f"Xero's answer can't be read: {'.'.join(identity)} is missing")
    return Seen(identity=name, value=value)


def _identity(element: object, *path: str) -> str:
    """What stands at a path in an element; empty where nothing does that could name it."""
    for name in path:
        element = element.get(name) if isinstance(element, dict) else None
    return element if isinstance(element, str) and element != wire.NO_ID else ""


def _plainly(shape: type[Shape], element: object) -> Shape:
    try:
        return shape.model_validate(element)
    except ValidationError as error:
        raise AnswerLost(_unfit(error)) from None


def _objections(element: object) -> str:
    try:
        return "; ".join(wire.WriteAnswer.model_validate(element).words)
    except ValidationError:
        return ""


def _unfit(error: ValidationError) -> str:
    """What can't be read, and why, without Xero's own text."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"Xero's answer can't be read: {'.'.join(map(str, first['loc'])) or 'an element'}: {first['msg']}"
