"""A mailbox that takes mail by SMTP and shows it.

Belongs here: accepting, refusing, keeping and bouncing mail.
Does not belong here: what the mail is about.
"""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from albacore_sandbox.clock import WorldClock, instant, iso
from albacore_sandbox.faults import Faults
from albacore_sandbox.store import Collection, Document

MAIL_LOGIN = ("mail", "demo-mail")
REFUSED_PREFIX = "refused"
LARGEST_BYTES = 25_000_000


class Mailbox:
    """Every mail by Message-ID and recipient: the same one again changes nothing."""

    def __init__(self, *, clock: WorldClock, faults: Faults, kept: Collection) -> None:
        self._clock = clock
        self._faults = faults
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse strangers, as a relay does."""
        if not session.authenticated:
            return "530 5.7.0 log in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse recipients whose local part begins with `refused`."""
        if address.lower().startswith(REFUSED_PREFIX):
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail once for each recipient."""
        fault = self._faults.meet(target="mail", method="POST")
        if fault is not None and fault["kind"] != "lost_answer":
            return "451 4.3.0 try again later"
        message = message_from_bytes(cast(bytes, envelope.content), policy=default_policy)
        for recipient in envelope.rcpt_tos:
            self._keep(message, sender=str(envelope.mail_from), recipient=recipient)
        if fault is not None:
            cast(asyncio.Transport, server.transport).abort()
        return "250 OK"

    def listed(self, *, to: str | None = None, since: str | None = None) -> list[Document]:
        """The mails, oldest first, to one recipient or since an instant."""
        first = instant(since) if since else float("-inf")
        return [mail for mail in self._kept.values() if to in (None, mail["to"]) and instant(mail["at"]) >= first]

    def bounce(self, *, message_id: str | None, to: str | None) -> int:
        """Mark mails as bounced, by Message-ID or recipient or both; returns how many."""
        marked = 0
        for key, mail in list(self._kept.items()):
            if message_id in (None, mail["message_id"]) and to in (None, mail["to"]):
                self._kept.put(key, {**mail, "bounced": True})
                marked += 1
        return marked

    def _keep(self, message: EmailMessage, *, sender: str, recipient: str) -> None:
        message_id = str(message.get("Message-ID", "")).strip()
        key = f"{message_id or 'without-' + str(len(self._kept))}|{recipient}"
        if key in self._kept:
            return
        body = message.get_body(preferencelist=("plain", "html"))
        mail: Document = {
            "message_id": message_id,
            "from": sender,
            "to": recipient,
            "subject": str(message.get("Subject", "")).strip(),  # a folded one may begin on its second line
            "headers": {name: str(value) for name, value in message.items()},
            "text": "" if body is None else body.get_content(),
            "attachments": [part.get_filename() for part in message.iter_attachments()],
            "at": iso(self._clock.now()),
            "bounced": False,
        }
        self._kept.put(key, mail)


def smtp_protocol(mailbox: Mailbox) -> SMTP:
    """The protocol of one connection to the mailbox."""
    return SMTP(
        mailbox,
        hostname="sandbox",
        enable_SMTPUTF8=True,
        data_size_limit=LARGEST_BYTES,
        authenticator=_log_in,
        auth_require_tls=False,  # all is on loopback
    )


def _log_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=(given.login.decode(), given.password.decode()) == MAIL_LOGIN, handled=False)
