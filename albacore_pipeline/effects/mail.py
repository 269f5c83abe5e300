"""Mail as an effect.

SMTP knows no look-up: after a crash between sending and settling a mail is sent once more, under the same Message-ID
(made from its business key), by which receivers know it again. So a mail goes out at least once, and is the same mail.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from mimetypes import guess_type
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from albacore_pipeline.effects.interface import Effect, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.mailboxes import ascii_domain
from albacore_pipeline.periods import Clock

MAIL = "mail"
TIMEOUT = 30.0


Note = Callable[[str, Mapping[str, object]], None]
"""What keeps a note of a kind beside the database."""


def unwritten(kind: str, facts: Mapping[str, object]) -> None:
    """Keeps no note."""


def message_id(*, business_key: str, sender: str) -> str:
    """The Message-ID of a mail: the same key has the same one, for ever."""
    return f"<{hashlib.sha256(business_key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


def nothing_to_fill(effect: Effect) -> Mapping[str, str]:
    """A mail that is sent as it was prepared."""
    return {}


@dataclass(kw_only=True)
class MailHandler:
    """Sends mails through a relay.

    The payload: `to`, `subject`, `text`, `attachments` as `[name, sha256]` pairs, and perhaps `html`. `fill` is asked
    before each sending, also of the same mail again, for what the outbox must not hold, such as a one-time code: its
    values take the place of `{name}` in text and HTML. What it must remember is committed when it returns; when it
    raises, nothing has left and the mail waits.
    """

    smtp_url: str
    sender: str
    read_attachment: Callable[[str], bytes]
    clock: Clock
    fill: Callable[[Effect], Mapping[str, str]] = nothing_to_fill
    journal: Note = unwritten  # told of each mail before it is handed over
    name: str = MAIL
    batch: int = 20

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Nobody can be asked whether a mail went out: send it again under its Message-ID."""
        return [Later("sending again under the same Message-ID") for _ in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing more than the effect itself: sent and delivered are read from it."""

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Hand each mail to the relay over one connection."""
        try:
            relay = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            return [Later(f"mail relay: {type(error).__name__}; check SMTP_URL") for _ in effects]
        outcomes: list[Outcome] = [self._hand_over(relay, effect) for effect in effects]
        relay.close()
        return outcomes

    def _connect(self) -> smtplib.SMTP:
        url = urlsplit(self.smtp_url)
        host, port = url.hostname or "localhost", url.port or (465 if url.scheme == "smtps" else 25)
        context = ssl.create_default_context()
        if url.scheme == "smtps":
            relay: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            relay = smtplib.SMTP(host, port, timeout=TIMEOUT)
            relay.ehlo()
            if relay.has_extn("starttls"):
                relay.starttls(context=context)
        if url.username:
            relay.login(unquote(url.username), unquote(url.password or ""))
        return relay

    def _hand_over(self, relay: smtplib.SMTP, effect: Effect) -> Outcome:
        try:
            message = self._message(effect)
            self.journal(MAIL, {"key": effect.business_key, "to": message["To"], "message_id": message["Message-ID"]})
        except Exception as error:  # nothing went out, and one such mail must not hold up the others
            return Later(f"the mail can't be written: {type(error).__name__}: {error}")
        try:
            relay.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(code < 500 for code in codes):
                return Later(f"relay put off the recipient ({codes[0]})")
            return Parked(f"relay refused the recipient ({codes[0]}): mend the customer's e-mail address")
        except smtplib.SMTPNotSupportedError:
            return Parked(
                "the relay takes no addresses beyond ASCII (SMTPUTF8): mend the recipient's address, or use a relay"
                " that does"
            )
        except smtplib.SMTPResponseException as error:
            return Later(f"relay answered {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Unknown(f"connection to the relay lost: {type(error).__name__}")
        return Succeeded({"message_id": message["Message-ID"], "accepted_at": self.clock.now().isoformat()})

    def _message(self, effect: Effect) -> EmailMessage:
        payload, filled = effect.payload, self.fill(effect)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = (
            self.sender,
            ascii_domain(payload["to"]),
            payload["subject"],
        )
        message["Date"] = format_datetime(self.clock.now())
        message["Message-ID"] = message_id(business_key=effect.business_key, sender=self.sender)
        message.set_content(_with(payload["text"], filled))
        if "html" in payload:
            escaped = {name: escape(value) for name, value in filled.items()}
            message.add_alternative(_with(payload["html"], escaped), subtype="html")
        for name, sha256 in payload["attachments"]:
            content = self.read_attachment(sha256)
            maintype, _, subtype = (guess_type(name)[0] or "application/octet-stream").partition("/")
            message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
        return message


def _with(text: str, filled: Mapping[str, str]) -> str:
    for name, value in filled.items():
        text = text.replace(f"{{{name}}}", value)
    return text
