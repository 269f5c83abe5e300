"""Xero, the relay and an archive as objects that remember what was done to them, and a day of energy to bill.

The fake Xero speaks the types of `xero/interface.py` and keeps the rules that the handlers lean on: numbers are unique,
amounts have two decimals, a settled document can't be changed. What goes wrong is asked for by the test, before or
after the call has taken effect.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

from albacore_pipeline.archive import Archive
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.interface import Effect, Outcome, Succeeded
from albacore_pipeline.effects.mail import MailHandler, message_id
from albacore_pipeline.invoicing.issue import ExternalSystems, issue_documents
from albacore_pipeline.invoicing.store import Prepared, prepare_documents
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Customer
from albacore_pipeline.xero.interface import (
    Allocation,
    AppliedCredit,
    Attachment,
    Contact,
    ContactDetails,
    CreditNote,
    Document,
    DraftDocument,
    Invoice,
    Kind,
    Objection,
    Payment,
    Read,
    Reading,
    Rejected,
    Seen,
    ShownLine,
    Status,
    Unapplied,
    UnappliedKind,
    Unreadable,
    Written,
)
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.small_world import (
    assignment,
    collect,
    customer,
    open_sites,
    rate,
    register,
    site_of,
    tariff,
)

T = TypeVar("T")

LIVE = Gate(live=True)
OCTOBER = Month(2025, 10)
LAST_DAY = date(2025, 10, 31)


@dataclass(kw_only=True)
class Kept:
    """A document as the fake Xero keeps it; tests change it as people would."""

    draft: DraftDocument
    id: str
    status: Status
    total: Decimal
    open: Decimal  # due of an invoice, remaining of a credit note
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    payments: list[Payment] = field(default_factory=list)
    credits: list[AppliedCredit] = field(default_factory=list)
    sent: bool = False

    def settle(self, amount: Decimal) -> None:
        """Take an amount off, or put a negative one back."""
        self.open -= amount
        self.status = Status.PAID if self.open == 0 else Status.AUTHORISED

    def change(self, **fields: Any) -> None:
        """What a person edits: fields of the draft."""
        self.draft = replace(self.draft, **fields)

    @property
    def head(self) -> Document:
        return Document(**self._head())

    @property
    def invoice(self) -> Invoice:
        return Invoice(
            **self._head(),
            due_on=self.draft.due_on,
            amount_due=self.open,
            amount_paid=self.paid,
            amount_credited=self.credited,
            payments=tuple(self.payments),
            credits=tuple(self.credits),
            lines=self._lines(),
        )

    @property
    def credit_note(self) -> CreditNote:
        return CreditNote(**self._head(), remaining=self.open, lines=self._lines())

    def _lines(self) -> tuple[ShownLine, ...]:
        return tuple(
            ShownLine(quantity=line.quantity, unit_price=line.unit_price, tax_type=line.tax_type)
            for line in self.draft.lines
        )

    def _head(self) -> dict[str, Any]:
        told = self.draft
        return {
            "id": self.id, "number": told.number, "contact_id": told.contact_id, "issued_on": told.issued_on,
            "currency": told.currency, "status": self.status, "total": self.total,
        }  # fmt: skip


class FakeXero:
    """An organisation. `calls` counts every call by name; a call named in `short` leaves out its last element once.

    A call named in `empty` answers with an empty list, whatever it is asked.
    """

    def __init__(self) -> None:
        self.tenant_id = "tenant"
        self.calls: Counter[str] = Counter()
        self.contacts: dict[str, ContactDetails] = {}
        self.documents: dict[str, Kept] = {}  # by number
        self.files: dict[str, dict[str, bytes]] = {}  # by document and name
        self.before: Callable[[str], None] = lambda _: None  # called with the name of each call; may raise
        self.after: Callable[[str], None] = lambda _: None
        self.drafted: Callable[[Kept], None] = lambda _: None  # what Xero makes of a draft
        self.short: list[str] = []
        self.empty: set[str] = set()
        self.dated: datetime | None = None  # the time on its answers
        self.money: list[Unapplied] = []  # overpayments, prepayments, credit notes that a person wrote
        self._payments = itertools.count(1)
        self.unreadable: set[str] = set()  # ids of documents that can be seen, but not understood

    def write_contacts(self, contacts: Sequence[ContactDetails], *, key: str) -> list[Written[Contact]]:
        def write(details: ContactDetails) -> Written[Contact]:
            self.contacts[details.number] = details
            contact = Contact(id=f"id-{details.number}", number=details.number)
            return Seen(identity=contact.number, value=contact)

        return self._answer("write_contacts", lambda: [write(each) for each in contacts])

    def create_invoices(self, drafts: Sequence[DraftDocument], *, key: str) -> list[Written[Document]]:
        return self._answer("create_invoices", lambda: [self.create(draft) for draft in drafts])

    def create_credit_notes(self, drafts: Sequence[DraftDocument], *, key: str) -> list[Written[Document]]:
        return self._answer("create_credit_notes", lambda: [self.create(draft) for draft in drafts])

    def approve_invoices(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        return self._answer("approve_invoices", lambda: [self._approve(each) for each in ids])

    def approve_credit_notes(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        return self._answer("approve_credit_notes", lambda: [self._approve(each) for each in ids])

    def mark_sent(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        return self._answer("mark_sent", lambda: [self._mark(each) for each in ids])

    def attach(self, attachment: Attachment, *, key: str) -> list[Written[str]]:
        def act() -> list[Written[str]]:
            self.files.setdefault(attachment.invoice_id, {})[attachment.name] = attachment.content
            return [Seen(identity=attachment.name, value=attachment.name)]

        return self._answer("attach", act)

    def allocate(self, allocation: Allocation, *, key: str) -> list[Written[Decimal]]:
        def act() -> list[Written[Decimal]]:
            note, invoice = self._by_id(allocation.credit_note_id), self._by_id(allocation.invoice_id)
            invoice.credits.append(AppliedCredit(id=note.id, on=allocation.on, amount=allocation.amount))
            invoice.credited += allocation.amount
            for document in (note, invoice):
                document.settle(allocation.amount)
            return [Seen(identity=invoice.id, value=allocation.amount)]

        return self._answer("allocate", act)

    def invoices_by_number(self, numbers: Sequence[str]) -> list[Read[Document]]:
        def act() -> list[Read[Document]]:
            found = [self.documents[number] for number in numbers if number in self.documents]
            return [self._shown(kept, kept.draft.number, kept.head) for kept in found]

        return self._answer("invoices_by_number", act)

    def invoices_by_id(self, ids: Sequence[str]) -> Reading[Read[Invoice]]:
        def act() -> list[Read[Invoice]]:
            found = [kept for kept in self.documents.values() if kept.id in ids]
            return [self._shown(kept, kept.id, kept.invoice) for kept in found]

        return self._reading("invoices_by_id", act)

    def credit_notes_by_id(self, ids: Sequence[str]) -> Reading[Read[CreditNote]]:
        def act() -> list[Read[CreditNote]]:
            found = [kept for kept in self.documents.values() if kept.id in ids]
            return [self._shown(kept, kept.id, kept.credit_note) for kept in found]

        return self._reading("credit_notes_by_id", act)

    def unapplied(self) -> Reading[Unapplied]:
        def act() -> list[Unapplied]:
            notes = [kept for kept in self.documents.values() if kept.draft.kind is Kind.CREDIT_NOTE]
            ours = [
                Unapplied(
                    id=kept.id, kind=UnappliedKind.CREDIT_NOTE, number=kept.draft.number,
                    contact_id=kept.draft.contact_id, currency=kept.draft.currency, remaining=kept.open,
                    on=kept.draft.issued_on,
                )
                for kept in notes
                if kept.status is Status.AUTHORISED and kept.open > 0
            ]  # fmt: skip
            return [*self.money, *ours]

        return self._reading("unapplied", act)

    def credit_note(self, number: str) -> Read[CreditNote] | None:
        def act() -> Read[CreditNote] | None:
            kept = self.documents.get(number)
            return self._shown(kept, number, kept.credit_note) if kept else None

        return self._answer("credit_note", act)

    def attachments(self, invoice_id: str) -> list[str]:
        return self._answer("attachments", lambda: list(self.files.get(invoice_id, {})))

    def online_invoice_url(self, invoice_id: str) -> str:
        return self._answer("online_invoice_url", lambda: f"https://pay.example/{invoice_id}")

    def reminders_enabled(self) -> bool:
        return False

    # What people do in Xero

    def pay(self, number: str, amount: str, *, on: str = "2025-11-10") -> str:
        """A payment; returns its id."""
        document = self.documents[number]
        payment = Payment(id=f"pay-{next(self._payments)}", on=date.fromisoformat(on), amount=Decimal(amount))
        document.payments.append(payment)
        document.paid += payment.amount
        document.settle(payment.amount)
        return payment.id

    def receive(
        self,
        amount: str,
        *,
        contact: str = "id-acme",
        kind: UnappliedKind = UnappliedKind.OVERPAYMENT,
        number: str = "",
        currency: str = "NOK",
    ) -> Unapplied:
        """Money that is set against nothing, as a person enters it."""
        each = Unapplied(
            id=f"money-{next(self._payments)}", kind=kind, number=number, contact_id=contact, currency=currency,
            remaining=Decimal(amount), on=date(2025, 11, 10),
        )  # fmt: skip
        self.money.append(each)
        return each

    def take_back(self, number: str, payment: str) -> None:
        """A payment that the bank took back."""
        document = self.documents[number]
        gone = next(item for item in document.payments if item.id == payment)
        document.payments.remove(gone)
        document.paid -= gone.amount
        document.settle(-gone.amount)

    def create(self, draft: DraftDocument) -> Written[Document]:
        """Draft a document, ours or a person's."""
        number = draft.number
        if number in self.documents:
            return Rejected(identity=number, objection=Objection.NUMBER_TAKEN, words="Invoice # must be unique.")
        cent = Decimal("0.01")
        lines = [(line.quantity * line.unit_price).quantize(cent, ROUND_HALF_UP) for line in draft.lines]
        total = sum(lines, Decimal(0))
        kept = Kept(draft=draft, id=f"id-{number}", status=Status.DRAFT, total=total, open=total)
        self.documents[number] = kept
        self.drafted(kept)
        return Seen(identity=number, value=kept.head)

    def _approve(self, key: str) -> Written[Status]:
        document = self._by_id(key)
        if document.status in (Status.PAID, Status.VOIDED):
            return self._settled(key)
        document.status = Status.AUTHORISED
        return Seen(identity=key, value=document.status)

    def _mark(self, key: str) -> Written[Status]:
        document = self._by_id(key)
        if document.status in (Status.PAID, Status.VOIDED):
            return self._settled(key)
        document.sent = True
        return Seen(identity=key, value=document.status)

    def _settled(self, key: str) -> Rejected:
        words = "Invoice not of valid status for modification"
        return Rejected(identity=key, objection=Objection.NOT_CHANGEABLE, words=words)

    def _by_id(self, key: str) -> Kept:
        return next(document for document in self.documents.values() if document.id == key)

    def _shown(self, kept: Kept, identity: str, value: T) -> Read[T]:
        if kept.id in self.unreadable:
            return Unreadable(identity=identity, words="Xero's answer can't be read: Date: not a date")
        return Seen(identity=identity, value=value)

    def _reading(self, name: str, act: Callable[[], list[T]]) -> Reading[T]:
        found = self._answer(name, act)
        return Reading(elements=() if name in self.empty else tuple(found), dated=self.dated)

    def _answer(self, name: str, act: Callable[[], T]) -> T:
        self.calls[name] += 1
        self.before(name)
        answer = act()
        self.after(name)
        if name in self.short and isinstance(answer, list):
            self.short.remove(name)
            answer.pop()
        return answer


@dataclass(kw_only=True)
class FakeMail(MailHandler):
    """A relay that takes everything; `sent` has the payloads by business key."""

    smtp_url: str = "smtp://nowhere"
    sender: str = "billing@albacore.example"
    read_attachment: Callable[[str], bytes] = field(default=lambda sha256: b"")
    sent: dict[str, list[Any]] = field(default_factory=dict)

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for effect in effects:
            payload = dict(effect.payload)
            for name, value in self.fill(effect).items():
                payload["text"] = payload["text"].replace(f"{{{name}}}", value)
            self.sent.setdefault(effect.business_key, []).append(payload)
            taken = {"accepted_at": self.clock.now().isoformat()}
            outcomes.append(
                Succeeded(taken | {"message_id": message_id(business_key=effect.business_key, sender=self.sender)})
            )
        return outcomes


class FakeArchive(Archive):
    """Content by its sha256, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.journals: dict[str, list[tuple[str, bytes]]] = {}

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def get(self, sha: str) -> bytes:
        return self.kept[sha]

    def append(self, journal: str, name: str, content: bytes) -> None:
        self.journals.setdefault(journal, []).append((name, content))

    def entries(self, journal: str, *, since: str = "") -> list[tuple[str, bytes]]:
        return sorted(entry for entry in self.journals.get(journal, []) if entry[0] >= since)


@dataclass(kw_only=True)
class Office:
    """A database, a clock and a fake world outside."""

    engine: sa.Engine
    clock: FrozenClock
    xero: FakeXero = field(default_factory=FakeXero)
    archive: FakeArchive = field(default_factory=FakeArchive)
    gate: Gate = LIVE

    def __post_init__(self) -> None:
        self.mail = FakeMail(clock=self.clock)

    @property
    def outside(self) -> ExternalSystems:
        return ExternalSystems(
            xero=self.xero, mail=self.mail, archive=self.archive, engine=self.engine, clock=self.clock, gate=self.gate
        )

    def open_books(
        self,
        *assignments: Assignment,
        customers: Sequence[Customer] | None = None,
        wh: int = 1_000_000,
        idle: Sequence[str] = (),
        policy: Policy | None = None,
    ) -> None:
        """Registry and energy: a thousand kWh at 0.5 crowns on the last day of October for each machine."""
        names = dict.fromkeys(row.customer for row in assignments)
        machines = [*(row.machine for row in assignments), *idle]
        with self.engine.begin() as connection:
            open_sites(connection, *dict.fromkeys(map(site_of, machines)))
            register(
                connection,
                customers=customers or [customer(name) for name in names],
                assignments=assignments,
                tariffs=[tariff("flat", "0.5")],
                policy=policy,
            )
            for site in dict.fromkeys(map(site_of, machines)):
                there = {machine: wh for machine in machines if site_of(machine) == site}
                collect(connection, site=site, day=LAST_DAY, machines=there)

    def correct(self, machine: str, wh: int) -> None:
        """The site says something else about a machine that is alone at its site."""
        with self.engine.begin() as connection:
            collect(connection, site=site_of(machine), day=LAST_DAY, machines={machine: wh})

    def write_documents(self) -> list[Prepared]:
        """Rate October and write its documents."""
        with self.engine.begin() as connection:
            rate(connection, str(OCTOBER))
            return prepare_documents(
                connection, month=OCTOBER, archive=self.archive, sales_account="200", now=self.clock.now()
            )

    def issue(self) -> Counter[str]:
        """Send what is due."""
        return issue_documents(self.outside)

    def documents(self) -> dict[str, str]:
        """The state of each document by its number."""
        return dict(self.ask("select number, state from albacore.document order by number"))

    def effects(self) -> dict[str, str]:
        """The state of each effect by its key."""
        return dict(self.ask("select business_key, state from albacore.effect order by effect_id"))

    def ask(self, question: str, **parameters: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(question), parameters)]


def one_day(machine: str, name: str, **given: Any) -> Assignment:
    """A machine that a customer has from the last day of October on."""
    return assignment(machine, name, "2025-10-31", **given)


def later(clock: FrozenClock, **span: float) -> datetime:
    """Move the clock on, by an hour unless said otherwise."""
    clock.at += timedelta(**span) if span else timedelta(hours=1)
    return clock.at
