"""What Xero is told, as kinds of the outbox. Each knows how to find out whether an earlier attempt worked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.effects.outbox import Cancelled, Effect, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.invoicing.store import DOCUMENT
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.client import (
    BATCH,
    Json,
    NothingSent,
    Refused,
    Xero,
    XeroError,
    problems,
    xero_date,
)

CONTACT, APPROVE, ATTACHMENT, ALLOCATION, SENT = (
    "xero.contact",
    "xero.approve",
    "xero.attachment",
    "xero.allocation",
    "xero.sent",
)
NOTE = "credit_note"


def outcome_of(error: XeroError) -> Outcome:
    """What an error of a call means for the effects that it carried."""
    if isinstance(error, NothingSent):
        return Later(str(error), error.after)
    return Parked(str(error)) if isinstance(error, Refused) else Unknown(str(error))


def _key(effects: Sequence[Effect]) -> str:
    """An idempotency key for this very attempt: a help for the next minutes, not the guarantee."""
    parts = "|".join(f"{effect.business_key}#{effect.attempts}" for effect in effects)
    return hashlib.sha256(parts.encode()).hexdigest()


@dataclass(kw_only=True)
class XeroHandler:
    """What the kinds share: each effect by itself, errors as outcomes."""

    xero: Xero
    engine: sa.Engine
    name: str = ""
    batch: int = BATCH

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Act on each effect by itself."""
        return [self._sent(effect) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Look each effect up by itself; what can't be looked up stays in doubt."""
        return [self._found(effect) for effect in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing but the effect itself."""

    def _send_one(self, effect: Effect) -> Outcome:
        raise NotImplementedError

    def _find_one(self, effect: Effect) -> Outcome:
        raise NotImplementedError

    def _sent(self, effect: Effect) -> Outcome:
        try:
            return self._send_one(effect)
        except XeroError as error:
            return outcome_of(error)

    def _found(self, effect: Effect) -> Outcome:
        try:
            return self._find_one(effect)
        except XeroError as error:
            return Unknown(f"can't look it up: {error}")

    def _documents(self, effects: Sequence[Effect]) -> dict[str, Any]:
        numbers = [effect.payload["number"] for effect in effects]
        with self.engine.connect() as connection:
            return {row.number: row for row in sql(connection, "invoicing/documents_by_number", numbers=numbers)}

    def _document(self, effect: Effect) -> Any:
        return self._documents([effect])[effect.payload["number"]]


@dataclass(kw_only=True)
class ContactHandler(XeroHandler):
    """A customer's contact, known by its ContactNumber."""

    name: str = CONTACT

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Create or update the contacts in one call; doing it twice changes nothing."""
        try:
            answers = self.xero.put_contacts([effect.payload["contact"] for effect in effects], key=_key(effects))
        except XeroError as error:
            return [outcome_of(error) for _ in effects]
        return [_judge(answer, "ContactID") for answer in answers]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Writing a contact again is harmless."""
        return [Later("writing the contact again") for _ in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Keep Xero's id."""
        if isinstance(outcome, Succeeded):
            values = {"customer": effect.payload["customer"], "sha256": effect.payload["sha256"]}
            sql(connection, "invoicing/keep_contact", contact_id=outcome.answer["id"], **values)


@dataclass(kw_only=True)
class DocumentHandler(XeroHandler):
    """An invoice or credit note as a draft: PUT, then our total against Xero's."""

    name: str = DOCUMENT

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Create the drafts, invoices in one call and credit notes in another."""
        documents = self._documents(effects)
        outcomes: dict[int, Outcome] = {}
        for notes, create in ((False, self.xero.create_invoices), (True, self.xero.create_credit_notes)):
            part = [effect for effect in effects if (documents[effect.payload["number"]].kind == NOTE) is notes]
            sendable = [effect for effect in part if documents[effect.payload["number"]].contact_id]
            outcomes |= {effect.effect_id: Later("the customer's contact is not in Xero yet") for effect in part}
            if not sendable:
                continue
            bodies = [_body(documents[effect.payload["number"]]) for effect in sendable]
            try:
                answers = create(bodies, key=_key(sendable))
            except XeroError as error:
                outcomes |= {effect.effect_id: outcome_of(error) for effect in sendable}
                continue
            if len(answers) != len(sendable):
                outcomes |= {effect.effect_id: Unknown("Xero's answer is incomplete") for effect in sendable}
                continue
            for effect, answer in zip(sendable, answers, strict=True):
                outcomes[effect.effect_id] = self._judge_created(documents[effect.payload["number"]], answer)
        return [outcomes[effect.effect_id] for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Find the documents by their numbers and adopt what agrees."""
        documents = self._documents(effects)
        invoices = [number for number, row in documents.items() if row.kind != NOTE]
        try:
            found = (
                {answer["InvoiceNumber"]: answer for answer in self.xero.invoices_by_number(invoices)}
                if invoices
                else {}
            )
            for number, row in documents.items():
                if row.kind == NOTE and (note := self.xero.credit_note(number)):
                    found[number] = note
        except XeroError as error:
            reason = str(error)
            return [Unknown(f"can't look it up: {reason}") for _ in effects]
        return [
            self._adopt(documents[number], found[number])
            if (number := effect.payload["number"]) in found
            else Later("Xero does not have it")
            for effect in effects
        ]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Draft or park the document."""
        if isinstance(outcome, Succeeded):
            sql(connection, "invoicing/drafted", number=effect.payload["number"], xero_id=outcome.answer["id"])
        elif isinstance(outcome, Parked):
            sql(connection, "invoicing/parked", number=effect.payload["number"])

    def _judge_created(self, document: Any, answer: Json) -> Outcome:
        said = problems(answer)
        if any("must be unique" in words for words in said):
            return Unknown("Xero has the number already")
        return Parked("; ".join(said)) if said else self._adopt(document, answer)

    def _adopt(self, document: Any, answer: Json) -> Outcome:
        """Take what Xero has for ours if customer, date, currency and total agree; else a person must look."""
        told = document.payload
        ours = (document.contact_id, told["date"], told["currency"], Decimal(told["total"]))
        theirs = (
            answer["Contact"]["ContactID"],
            xero_date(answer["Date"]).isoformat(),
            answer["CurrencyCode"],
            Decimal(answer["Total"]),
        )
        for field, our, their in zip(("customer", "date", "currency", "total"), ours, theirs, strict=True):
            if our != their:
                return Parked(f"Xero's {field} is {their}, ours is {our}: mend the draft in Xero, or delete it there")
        return Succeeded({"id": answer.get("InvoiceID") or answer["CreditNoteID"], "total": str(answer["Total"])})


@dataclass(kw_only=True)
class ApproveHandler(XeroHandler):
    """Makes a draft that agrees count."""

    name: str = APPROVE

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Approve the drafts, invoices in one call and credit notes in another."""
        documents = self._documents(effects)
        outcomes: dict[int, Outcome] = {}
        for notes, update, name in (
            (False, self.xero.update_invoices, "InvoiceID"),
            (True, self.xero.update_credit_notes, "CreditNoteID"),
        ):
            part = [effect for effect in effects if (documents[effect.payload["number"]].kind == NOTE) is notes]
            if not part:
                continue
            bodies = [{name: documents[effect.payload["number"]].xero_id, "Status": "AUTHORISED"} for effect in part]
            try:
                answers = update(bodies, key=_key(part))
                outcomes |= {
                    effect.effect_id: _judge(answer, name, settled=Unknown("it is no draft any more"))
                    for effect, answer in zip(part, answers, strict=True)
                }
            except XeroError as error:
                outcomes |= {effect.effect_id: outcome_of(error) for effect in part}
        return [outcomes[effect.effect_id] for effect in effects]

    def _find_one(self, effect: Effect) -> Outcome:
        document = self._document(effect)
        found = (
            self.xero.credit_note(document.number)
            if document.kind == NOTE
            else next(iter(self.xero.invoices_by_id([document.xero_id])), None)
        )
        if found is None:
            return Parked("Xero does not have it any more")
        if found["Status"] in ("AUTHORISED", "PAID"):
            return Succeeded({"id": document.xero_id})
        return Later("still a draft") if found["Status"] == "DRAFT" else Parked(f"Xero says it is {found['Status']}")

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """The document is issued."""
        if isinstance(outcome, Succeeded):
            sql(connection, "invoicing/issued", number=effect.payload["number"], now=now)
        elif isinstance(outcome, Parked):
            sql(connection, "invoicing/parked", number=effect.payload["number"])


@dataclass(kw_only=True)
class AttachmentHandler(XeroHandler):
    """The statement, as PDF and as CSV, beside the invoice."""

    read_archive: Callable[[str], bytes]
    name: str = ATTACHMENT

    def _send_one(self, effect: Effect) -> Outcome:
        document, files = self._document(effect), _files(effect)
        for name, sha256 in files.items():  # the same name again replaces it
            key = f"{_key([effect])}-{name.rpartition('.')[2]}"
            self.xero.attach(invoice_id=document.xero_id, name=name, content=self.read_archive(sha256), key=key)
        return Succeeded({"names": list(files)})

    def _find_one(self, effect: Effect) -> Outcome:
        there = self.xero.attachments(self._document(effect).xero_id)
        files = _files(effect)
        return Succeeded({"names": list(files)}) if files.keys() <= set(there) else Later("not attached yet")


def _files(effect: Effect) -> dict[str, str]:
    """The files of an attachment: their sha256 by name."""
    return dict(effect.payload["attachments"])


@dataclass(kw_only=True)
class AllocationHandler(XeroHandler):
    """Sets a credit note against the invoice that it corrects, else against the customer's oldest open one."""

    clock: Clock
    name: str = ALLOCATION

    def _send_one(self, effect: Effect) -> Outcome:
        document = self._document(effect)
        note = self.xero.credit_note(document.number)
        if note is None or note["Status"] not in ("AUTHORISED", "PAID"):
            return Parked("the credit note is not approved in Xero")
        rest = Decimal(note["RemainingCredit"])
        if rest == 0:
            return Succeeded({"remaining": "0"})
        if document.allocate_to is None:
            return Later("nothing open to set it against: it waits for the next invoice", timedelta(days=1))
        invoice = next(iter(self.xero.invoices_by_id([document.allocate_to])), None)
        amount = min(rest, Decimal(invoice["AmountDue"])) if invoice else Decimal(0)
        if amount <= 0:
            return Later("the invoice was settled meanwhile", timedelta(days=1))
        on = self.clock.now().date()
        self.xero.allocate(
            credit_note_id=document.xero_id, invoice_id=document.allocate_to, amount=amount, on=on, key=_key([effect])
        )
        return (
            Succeeded({"remaining": str(rest - amount)})
            if amount == rest
            else Later("a rest of the credit waits for the next invoice", timedelta(days=1))
        )

    def _find_one(self, effect: Effect) -> Outcome:
        """What is left of the note tells by itself what an earlier attempt did."""
        return Later("reading the rest of the credit")


@dataclass(kw_only=True)
class SentHandler(XeroHandler):
    """Notes in Xero that the customer has the document; once more does no harm."""

    name: str = SENT

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Mark the invoices in one call."""
        documents = self._documents(effects)
        bodies = [
            {"InvoiceID": documents[effect.payload["number"]].xero_id, "SentToContact": True} for effect in effects
        ]
        try:
            answers = self.xero.update_invoices(bodies, key=_key(effects))
            settled = Cancelled("the document was settled before it was marked")
            return [_judge(answer, "InvoiceID", settled=settled) for answer in answers]
        except XeroError as error:
            return [outcome_of(error) for _ in effects]

    def _find_one(self, effect: Effect) -> Outcome:
        return Later("marking it again")


def _judge(answer: Json, name: str, *, settled: Outcome | None = None) -> Outcome:
    """Succeeded, or what Xero objected to; `settled` is what it means that the document can't be changed any more."""
    said = problems(answer)
    if settled is not None and any("not of valid status" in words for words in said):
        return settled
    return Parked("; ".join(said)) if said else Succeeded({"id": answer[name]})


def _body(document: Any) -> Json:
    """The draft as Xero takes it; numbers become JSON numbers only here."""
    told: Mapping[str, Any] = document.payload
    lines = [
        {name: float(value) if name in ("Quantity", "UnitAmount") else value for name, value in line.items()}
        for line in told["lines"]
    ]
    body: Json = {
        "Contact": {"ContactID": document.contact_id},
        "Date": told["date"],
        "LineAmountTypes": "Exclusive",
        "Reference": told["reference"],
        "CurrencyCode": told["currency"],
        "Status": "DRAFT",
        "LineItems": lines,
    }
    if told["kind"] == NOTE:
        return body | {"Type": "ACCRECCREDIT", "CreditNoteNumber": told["number"]}
    return body | {"Type": "ACCREC", "InvoiceNumber": told["number"], "DueDate": told["due"]}
