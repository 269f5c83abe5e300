"""Brings prepared documents to the customers: contact, draft, approval, payment link, statement, mail.

Level-triggered: each step asks the database what is due next, so that it goes on wherever it was interrupted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.archive import Archive
from albacore_pipeline.effects import keys
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.interface import EffectHandler
from albacore_pipeline.effects.mail import MAIL, MailHandler
from albacore_pipeline.effects.outbox import dispatch, fingerprint, prepare
from albacore_pipeline.invoicing import handlers, queries
from albacore_pipeline.invoicing.letters import document_mail
from albacore_pipeline.invoicing.queries import FollowUp
from albacore_pipeline.invoicing.statement.facts import statement_facts
from albacore_pipeline.invoicing.statement.pdf import StatementFailure, statement_pdf
from albacore_pipeline.periods import Clock
from albacore_pipeline.xero.interface import ContactDetails, NothingSent, Organisation, XeroError

LONGEST_CHAIN = 8  # no document needs more steps one after another

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExternalSystems:
    """The world that documents go to, as one bundle for the faces."""

    xero: Organisation
    mail: MailHandler
    archive: Archive
    engine: sa.Engine
    clock: Clock
    gate: Gate

    def handlers(self) -> list[EffectHandler]:
        """Every kind that a document needs, in the order in which they follow each other."""
        xero, engine = self.xero, self.engine
        return [
            handlers.ContactHandler(xero=xero),
            handlers.DocumentHandler(xero=xero, engine=engine),
            handlers.ApproveHandler(xero=xero, engine=engine),
            handlers.AttachmentHandler(xero=xero, engine=engine, read_archive=self.archive.get),
            handlers.AllocationHandler(xero=xero, engine=engine, clock=self.clock),
            self.mail,
            handlers.SentHandler(xero=xero, engine=engine),
        ]


def issue_documents(external: ExternalSystems) -> Counter[str]:
    """Take every document as far as it goes now; returns how many effects ended in which state."""
    tally: Counter[str] = Counter()
    if not external.gate.live:
        return tally
    for _ in range(LONGEST_CHAIN):
        prepared = prepare_follow_ups(
            external.engine, archive=external.archive, clock=external.clock, gate=external.gate
        )
        delivered = dispatch(
            engine=external.engine, handlers=external.handlers(), clock=external.clock, gate=external.gate
        )
        links = fetch_links(external)
        tally += delivered
        if not prepared and not links and not delivered["done"]:
            break
    return tally


def prepare_follow_ups(engine: sa.Engine, *, archive: Archive, clock: Clock, gate: Gate) -> int:
    """Write the intents that are due next, those of a document in one transaction; returns how many.

    The statement is set here, from committed facts, because only now its payment link is known. It is archived before
    the intents that name it are committed: after a crash the same facts make the same file. A document whose statement
    fails keeps back no other, and is tried again by the next run.
    """
    with engine.begin() as connection:
        count = _prepare_contacts(connection, gate=gate, now=clock.now())
        follow_ups = queries.follow_ups(connection)
    for number, group in groupby(follow_ups, key=attrgetter("number")):
        due = list(group)
        try:
            with engine.begin() as connection:
                _prepare_document(connection, number=number, follow_ups=due, archive=archive, now=clock.now())
        except StatementFailure as error:
            _log.error("no statement for %s: %s", number, error)
        else:
            count += len(due)
    return count


def _prepare_document(
    connection: sa.Connection, *, number: str, follow_ups: Sequence[FollowUp], archive: Archive, now: datetime
) -> None:
    files: list[list[str]] = []
    document = queries.mail_facts(connection, number=number)
    if any(row.kind in (handlers.ATTACHMENT, MAIL) for row in follow_ups):
        statement = archive.put(statement_pdf(statement_facts(connection, number=number)))
        files = [[f"{number}.pdf", statement], [f"{number}.csv", document.statement]]
    for row in follow_ups:
        payload: dict[str, Any] = {"number": number, "month": f"{row.month:%Y-%m}"}
        if row.kind == handlers.ATTACHMENT:
            payload["attachments"] = files
        elif row.kind == MAIL:
            payload |= document_mail(document, attachments=files)
        key = keys.follow_up(kind=row.kind, number=number)
        prepare(connection, kind=row.kind, business_key=key, payload=payload, now=now)


def mail_again(connection: sa.Connection, *, number: str, now: datetime) -> None:
    """Mail a document once more, to the customer's address as it is now; the files are those of its first mail."""
    first = queries.mails_of(connection, number=number)
    document = queries.mail_facts(connection, number=number)
    payload = {**first[0].payload, **document_mail(document, attachments=first[0].payload["attachments"])}
    prepare(
        connection, kind=MAIL, business_key=keys.mail_again(number=number, nth=len(first) + 1), payload=payload, now=now
    )


def _prepare_contacts(connection: sa.Connection, *, gate: Gate, now: datetime) -> int:
    count = 0
    for row in queries.contacts_wanted(connection, live_from=gate.live_from):
        details = ContactDetails(
            number=row.customer,
            name=row.legal_name,
            email=row.email,
            tax_number=row.vat_number or "",
            address=row.address,
            country=row.country,
        )
        contact = asdict(details)
        sha256 = fingerprint(contact)
        if row.details_sha256 != sha256:
            payload = {"customer": row.customer, "sha256": sha256, "contact": contact}
            key = keys.contact(customer=row.customer, sha256=sha256)
            prepare(connection, kind=handlers.CONTACT, business_key=key, payload=payload, now=now)
            count += 1
    return count


def fetch_links(external: ExternalSystems) -> int:
    """Ask Xero for the payment links that are still unknown; returns how many came.

    A link that does not come is asked for again by the next run, and holds up no other.
    """
    with external.engine.connect() as connection:
        missing = queries.without_link(connection)
    count = 0
    for row in missing:
        try:
            link = external.xero.online_invoice_url(row.xero_id)
        except NothingSent:
            break  # the rate limit, or no connection: the next run goes on here
        except XeroError as error:
            _log.warning("no payment link for %s: %s", row.number, error)
            continue
        if link:
            with external.engine.begin() as connection:
                queries.set_link(connection, number=row.number, link=link)
            count += 1
    return count
