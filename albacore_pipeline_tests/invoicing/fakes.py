"""Xero, the relay and an archive as objects that remember what was done to them, and a day of energy to bill.

The fake Xero keeps the rules that the kinds lean on: numbers are unique, amounts have two decimals, a settled document
can't be changed. What goes wrong is asked for by the test, before or after the call has taken effect.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import sqlalchemy as sa

from albacore_pipeline.archive import Archive
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.mail import MailHandler, message_id
from albacore_pipeline.effects.outbox import Effect, Outcome, Succeeded
from albacore_pipeline.invoicing.issue import ExternalSystems, issue_documents
from albacore_pipeline.invoicing.store import Prepared, prepare_documents
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Customer
from albacore_pipeline.xero.client import Json, Xero
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

LIVE = Gate(live=True)
OCTOBER = Month(2025, 10)
LAST_DAY = date(2025, 10, 31)


class FakeXero(Xero):
    """An organisation. `calls` counts every call by name."""

    def __init__(self) -> None:
        self.tenant_id = "tenant"
        self.calls: Counter[str] = Counter()
        self.contacts: dict[str, Json] = {}
        self.documents: dict[str, Json] = {}  # by number; each has its `id` and `kind`
        self.files: dict[str, dict[str, bytes]] = {}  # by document and name
        self.before: Callable[[str], None] = lambda _: None  # called with the name of each call; may raise
        self.after: Callable[[str], None] = lambda _: None

    def _answer(self, name: str, act: Callable[[], Any]) -> Any:
        self.calls[name] += 1
        self.before(name)
        answer = act()
        self.after(name)
        return answer

    def put_contacts(self, contacts: Sequence[Json], *, key: str) -> list[Json]:
        def act() -> list[Json]:
            for contact in contacts:
                known = self.contacts.setdefault(
                    contact["ContactNumber"], {"ContactID": f"id-{contact['ContactNumber']}"}
                )
                known |= contact
            return [self.contacts[contact["ContactNumber"]] for contact in contacts]

        return cast(list[Json], self._answer("put_contacts", act))

    def create_invoices(self, invoices: Sequence[Json], *, key: str) -> list[Json]:
        return cast(
            list[Json], self._answer("create_invoices", lambda: [self._create(body, "Invoice") for body in invoices])
        )

    def create_credit_notes(self, notes: Sequence[Json], *, key: str) -> list[Json]:
        return cast(
            list[Json],
            self._answer("create_credit_notes", lambda: [self._create(body, "CreditNote") for body in notes]),
        )

    def update_invoices(self, invoices: Sequence[Json], *, key: str) -> list[Json]:
        return cast(
            list[Json], self._answer("update_invoices", lambda: [self._update(body, "Invoice") for body in invoices])
        )

    def update_credit_notes(self, notes: Sequence[Json], *, key: str) -> list[Json]:
        return cast(
            list[Json],
            self._answer("update_credit_notes", lambda: [self._update(body, "CreditNote") for body in notes]),
        )

    def invoices_by_number(self, numbers: Sequence[str]) -> list[Json]:
        return cast(
            list[Json],
            self._answer("invoices_by_number", lambda: [self.documents[n] for n in numbers if n in self.documents]),
        )

    def invoices_by_id(self, ids: Sequence[str]) -> list[Json]:
        return cast(
            list[Json], self._answer("invoices_by_id", lambda: [d for d in self.documents.values() if d["id"] in ids])
        )

    def credit_note(self, number: str) -> Json | None:
        return cast("Json | None", self._answer("credit_note", lambda: self.documents.get(number)))

    def online_invoice_url(self, invoice_id: str) -> str:
        return cast(str, self._answer("online_invoice_url", lambda: f"https://pay.example/{invoice_id}"))

    def attach(self, *, invoice_id: str, name: str, content: bytes, key: str) -> None:
        self._answer("attach", lambda: self.files.setdefault(invoice_id, {}).update({name: content}))

    def attachments(self, invoice_id: str) -> list[str]:
        return cast(list[str], self._answer("attachments", lambda: list(self.files.get(invoice_id, {}))))

    def allocate(self, *, credit_note_id: str, invoice_id: str, amount: Decimal, on: date, key: str) -> None:
        def act() -> None:
            note, invoice = self._by_id(credit_note_id), self._by_id(invoice_id)
            note["RemainingCredit"] -= amount
            invoice["AmountDue"] -= amount
            invoice["AmountCredited"] += amount
            invoice["CreditNotes"].append({"CreditNoteID": note["id"], "Date": on.isoformat(), "AppliedAmount": amount})
            _settle(note, note["RemainingCredit"])
            _settle(invoice, invoice["AmountDue"])

        self._answer("allocate", act)

    # What people do in Xero

    def pay(self, number: str, amount: str, *, on: str = "2025-11-10") -> str:
        """A payment; returns its id."""
        document = self.documents[number]
        payment = f"pay-{number}-{len(document['Payments'])}"
        document["Payments"].append(
            {"PaymentID": payment, "Date": on, "Amount": Decimal(amount), "Status": "AUTHORISED"}
        )
        document["AmountDue"] -= Decimal(amount)
        document["AmountPaid"] += Decimal(amount)
        _settle(document, document["AmountDue"])
        return payment

    def take_back(self, number: str, payment: str) -> None:
        """A payment that the bank took back."""
        document = self.documents[number]
        gone = next(item for item in document["Payments"] if item["PaymentID"] == payment)
        gone["Status"] = "DELETED"
        document["AmountDue"] += gone["Amount"]
        document["AmountPaid"] -= gone["Amount"]
        document["Status"] = "AUTHORISED"

    def _by_id(self, key: str) -> Json:
        return next(document for document in self.documents.values() if document["id"] == key)

    def _create(self, body: Json, kind: str) -> Json:
        number = body[f"{kind}Number"]
        if number in self.documents:
            return {"ValidationErrors": [{"Message": f"{kind} # must be unique."}]}
        cent = Decimal("0.01")
        total = sum(
            (
                (Decimal(str(line["Quantity"])) * Decimal(str(line["UnitAmount"]))).quantize(cent, ROUND_HALF_UP)
                for line in body["LineItems"]
                if "Quantity" in line
            ),
            Decimal(0),
        )
        key = f"id-{number}"
        self.documents[number] = body | {
            "id": key, f"{kind}ID": key, "Total": total, "AmountDue": total, "AmountPaid": Decimal(0),
            "AmountCredited": Decimal(0), "RemainingCredit": total, "Payments": [], "CreditNotes": [],
        }  # fmt: skip
        return self.documents[number]

    def _update(self, body: Json, kind: str) -> Json:
        document = self._by_id(body[f"{kind}ID"])
        if document["Status"] in ("PAID", "VOIDED"):
            return {"ValidationErrors": [{"Message": f"{kind} not of valid status for modification"}]}
        document |= body
        return document


def _settle(document: Json, rest: Decimal) -> None:
    if rest == 0:
        document["Status"] = "PAID"


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
            self.sent.setdefault(effect.business_key, []).append(effect.payload)
            taken = {"accepted_at": self.clock.now().isoformat()}
            outcomes.append(
                Succeeded(taken | {"message_id": message_id(business_key=effect.business_key, sender=self.sender)})
            )
        return outcomes


class FakeArchive(Archive):
    """Content by its sha256, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def get(self, sha: str) -> bytes:
        return self.kept[sha]


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
