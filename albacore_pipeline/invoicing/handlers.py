"""What Xero is told, as effects of the outbox: `xero/` sends and looks up, here stands what an outcome means for us.

Each handler reads its documents, hands them to `xero/` as types, and settles. Does not belong here: Xero's own words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.archive import ArchiveFailure
from albacore_pipeline.effects.interface import Effect, Later, Outcome, Parked, Succeeded
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.documents import draft_document, xero_kind
from albacore_pipeline.invoicing.queries import SentDocument
from albacore_pipeline.invoicing.store import DOCUMENT
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero import allocations, attachments, contacts, documents
from albacore_pipeline.xero.interface import BATCH, Attachment, ContactDetails, InXero, Organisation

CONTACT, APPROVE, ATTACHMENT, ALLOCATION, SENT = (
    "xero.contact",
    "xero.approve",
    "xero.attachment",
    "xero.allocation",
    "xero.sent",
)


@dataclass(kw_only=True)
class ContactHandler:
    """A customer's contact, known by its number."""

    xero: Organisation
    name: str = CONTACT
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Create or update the contacts in one call; doing it twice changes nothing."""
        details = [_details(effect) for effect in effects]
        outcomes = contacts.send(self.xero, details, key=_key(effects))
        return [outcomes[each.number] for each in details]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Writing a contact again is harmless."""
        details = [_details(effect) for effect in effects]
        outcomes = contacts.look_up(details)
        return [outcomes[each.number] for each in details]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Keep Xero's id."""
        if isinstance(outcome, Succeeded):
            customer, sha256 = effect.payload["customer"], effect.payload["sha256"]
            queries.keep_contact(connection, customer=customer, contact_id=outcome.answer["id"], sha256=sha256)


@dataclass(kw_only=True)
class DocumentHandler:
    """An invoice or credit note as a draft, whose total in Xero must be ours."""

    xero: Organisation
    engine: sa.Engine
    name: str = DOCUMENT
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Create the drafts; one whose contact Xero does not have waits."""
        stored = _documents(self.engine, effects)
        drafts = [draft_document(each.payload, contact_id=each.contact_id) for each in stored if each.contact_id]
        outcomes = documents.send_drafts(self.xero, drafts, key=_key(effects))
        return [outcomes.get(each.number, Later("the customer's contact is not in Xero yet")) for each in stored]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Find the documents by their numbers and adopt what agrees."""
        stored = _documents(self.engine, effects)
        drafts = [draft_document(each.payload, contact_id=each.contact_id or "") for each in stored]
        outcomes = documents.look_up_drafts(self.xero, drafts)
        return [outcomes[each.number] for each in stored]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Draft or park the document."""
        if isinstance(outcome, Succeeded):
            queries.drafted(connection, number=effect.payload["number"], xero_id=outcome.answer["id"])
        elif isinstance(outcome, Parked):
            queries.parked(connection, number=effect.payload["number"])


@dataclass(kw_only=True)
class ApproveHandler:
    """Makes a draft that agrees count."""

    xero: Organisation
    engine: sa.Engine
    name: str = APPROVE
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Approve the drafts."""
        drafts = [_in_xero(each) for each in _documents(self.engine, effects)]
        outcomes = documents.send_approvals(self.xero, drafts, key=_key(effects))
        return [outcomes[each.id] for each in drafts]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """See where the documents stand: whoever approved them, they count."""
        drafts = [_in_xero(each) for each in _documents(self.engine, effects)]
        outcomes = documents.look_up_approvals(self.xero, drafts)
        return [outcomes[each.id] for each in drafts]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """The document is issued, or parked."""
        if isinstance(outcome, Succeeded):
            queries.issued(connection, number=effect.payload["number"], now=now)
        elif isinstance(outcome, Parked):
            queries.parked(connection, number=effect.payload["number"])


@dataclass(kw_only=True)
class AttachmentHandler:
    """The statement, as PDF and as CSV, beside the invoice. The payload: `attachments` as `[name, sha256]` pairs."""

    xero: Organisation
    engine: sa.Engine
    read_archive: Callable[[str], bytes]
    name: str = ATTACHMENT
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Attach the files of one document after the other."""
        stored = _documents(self.engine, effects)
        return [self._attach(effect, _in_xero(each)) for effect, each in zip(effects, stored, strict=True)]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """See which files each document has."""
        stored = _documents(self.engine, effects)
        return [
            attachments.look_up(self.xero, invoice_id=_in_xero(each).id, names=list(_files(effect)))
            for effect, each in zip(effects, stored, strict=True)
        ]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing but the effect itself."""

    def _attach(self, effect: Effect, document: InXero) -> Outcome:
        try:
            files = [
                Attachment(invoice_id=document.id, name=name, content=self.read_archive(sha256))
                for name, sha256 in _files(effect).items()
            ]
        except ArchiveFailure as error:
            return Later(str(error))  # nothing went out, and the others must not wait for it
        return attachments.send(self.xero, files, key=_key([effect]))


@dataclass(kw_only=True)
class AllocationHandler:
    """Sets a credit note against the invoice that it corrects, else against the customer's oldest open one."""

    xero: Organisation
    engine: sa.Engine
    clock: Clock
    name: str = ALLOCATION
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Allocate one note after the other, each against what is open by then."""
        return [self._allocate(effect) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """What is left of the note tells by itself what an earlier attempt did."""
        return [allocations.look_up() for _ in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing but the effect itself."""

    def _allocate(self, effect: Effect) -> Outcome:
        (note,) = _documents(self.engine, [effect])
        on = self.clock.now().date()
        return allocations.send(self.xero, _in_xero(note), against=note.allocate_to, on=on, key=_key([effect]))


@dataclass(kw_only=True)
class SentHandler:
    """Notes in Xero that the customer has the document; once more does no harm."""

    xero: Organisation
    engine: sa.Engine
    name: str = SENT
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Mark the invoices in one call."""
        ids = [_in_xero(each).id for each in _documents(self.engine, effects)]
        outcomes = documents.mark_sent(self.xero, ids, key=_key(effects))
        return [outcomes[each] for each in ids]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Marking an invoice again is harmless."""
        ids = [_in_xero(each).id for each in _documents(self.engine, effects)]
        outcomes = documents.look_up_marks(ids)
        return [outcomes[each] for each in ids]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing but the effect itself."""


def _key(effects: Sequence[Effect]) -> str:
    """An idempotency key for this very attempt: a help for the next minutes, not the guarantee."""
    parts = "|".join(f"{effect.business_key}#{effect.attempts}" for effect in effects)
    return hashlib.sha256(parts.encode()).hexdigest()


def _documents(engine: sa.Engine, effects: Sequence[Effect]) -> list[SentDocument]:
    """The documents that effects are about, in their order."""
    numbers = [effect.payload["number"] for effect in effects]
    with engine.connect() as connection:
        found = {each.number: each for each in queries.documents_by_number(connection, numbers=numbers)}
    return [found[number] for number in numbers]


def _in_xero(document: SentDocument) -> InXero:
    """Where Xero holds a document. Raises LookupError before it is drafted: only its draft may be sent then."""
    if document.xero_id is None:
        raise LookupError(f"{document.number} is not in Xero yet")
    return InXero(kind=xero_kind(document.kind), id=document.xero_id, number=document.number)


def _details(effect: Effect) -> ContactDetails:
    return ContactDetails(**effect.payload["contact"])


def _files(effect: Effect) -> dict[str, str]:
    """The files of an attachment: their sha256 by name."""
    return dict(effect.payload["attachments"])
