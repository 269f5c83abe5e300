"""Mail against a relay that really listens: taken, refused, put off, gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from albacore_pipeline.effects.interface import Effect, Later, Outcome, Parked, Succeeded
from albacore_pipeline.effects.mail import MAIL, MailHandler
from albacore_pipeline.effects.outbox import dispatch, prepare
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.effects.external import LIVE, NOW, states

ARCHIVE = {"s1": b"site,machine\r\n", "s2": b"%PDF-1.7"}


class Relay:
    """Takes every mail, but for what the recipient's name asks for."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("full"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        if "hang up" in self.taken[-1]["Subject"]:
            cast(asyncio.Transport, server.transport).abort()  # taken, but the answer is lost
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(*, beyond_ascii: bool) -> Iterator[tuple[Relay, str]]:
    handler, port = Relay(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, enable_SMTPUTF8=beyond_ascii)
    controller.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture
def relay() -> Iterator[tuple[Relay, str]]:
    with listening(beyond_ascii=True) as found:
        yield found


@pytest.fixture
def old_relay() -> Iterator[tuple[Relay, str]]:
    """A relay without SMTPUTF8."""
    with listening(beyond_ascii=False) as found:
        yield found


def mail_handler(url: str, clock: FrozenClock) -> MailHandler:
    return MailHandler(
        smtp_url=url, sender="billing@albacore.example", read_attachment=ARCHIVE.__getitem__, clock=clock
    )


def mail(to: str = "anna@customer.example", subject: str = "Invoice 1", attachment: str = "s1") -> Effect:
    payload = {
        "to": to,
        "subject": subject,
        "text": "Kjære Anna\n",
        "attachments": [["1.csv", attachment], ["1.pdf", "s2"]],
    }
    return Effect(
        effect_id=1, kind=MAIL, business_key=f"mail:{subject}", payload=payload, attempts=1, fence=1, in_doubt=False
    )


def send(handler: MailHandler, *effects: Effect) -> list[Outcome]:
    return handler.send(effects)


def test_a_mail_goes_out_whole(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    outcome = send(mail_handler(relay[1], clock), mail())[0]
    (taken,) = relay[0].taken
    assert outcome.answer == {"message_id": taken["Message-ID"], "accepted_at": NOW.isoformat()}  # type: ignore[union-attr]
    assert (taken["From"], taken["To"], taken["Subject"]) == (
        "billing@albacore.example", "anna@customer.example", "Invoice 1",
    )  # fmt: skip
    body = taken.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["Kjære Anna"]
    assert [
        (part.get_filename(), part.get_content_type(), part.get_content()) for part in taken.iter_attachments()
    ] == [
        ("1.csv", "text/csv", "site,machine\r\n"),
        ("1.pdf", "application/pdf", b"%PDF-1.7"),
    ]


def test_a_mail_may_be_readable_as_text_and_as_html(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    effect = mail()
    effect = replace(effect, payload={**effect.payload, "html": "<p>Kjære Anna</p>\n"})

    send(mail_handler(relay[1], clock), effect)

    (taken,) = relay[0].taken
    bodies = [taken.get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content().strip() for body in bodies if body is not None] == ["Kjære Anna", "<p>Kjære Anna</p>"]
    assert [part.get_filename() for part in taken.iter_attachments()] == ["1.csv", "1.pdf"]


def test_what_is_drawn_when_a_mail_leaves_is_filled_in_and_stands_nowhere_before(
    relay: tuple[Relay, str], clock: FrozenClock
) -> None:
    effect = mail()
    payload = {**effect.payload, "text": "code: '{code}', not {name}\n", "html": "<pre>code: {code}</pre>"}
    drawn: list[int] = []

    def fill(effect: Effect) -> Mapping[str, str]:
        drawn.append(effect.effect_id)
        return {"code": "K7<Q"}

    handler = replace(mail_handler(relay[1], clock), fill=fill)
    outcome = send(handler, replace(effect, payload=payload))[0]

    (taken,) = relay[0].taken
    bodies = [taken.get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content().strip() for body in bodies if body is not None] == [
        "code: 'K7<Q', not {name}", "<pre>code: K7&lt;Q</pre>",
    ]  # fmt: skip
    assert drawn == [1]
    assert "K7" not in repr(outcome)


def test_a_mail_whose_code_can_not_be_drawn_waits(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    def fill(effect: Effect) -> Mapping[str, str]:
        raise LookupError("no such plan")

    outcome = send(replace(mail_handler(relay[1], clock), fill=fill), mail())[0]

    assert outcome == Later("the mail can't be written: LookupError: no such plan")
    assert relay[0].taken == []


def test_an_address_beyond_ascii_that_the_relay_does_not_take_needs_a_person(
    old_relay: tuple[Relay, str], relay: tuple[Relay, str], clock: FrozenClock
) -> None:
    assert isinstance(send(mail_handler(relay[1], clock), mail("bjørn@customer.example"))[0], Succeeded)

    outcomes = send(mail_handler(old_relay[1], clock), mail("bjørn@customer.example"), mail())

    assert outcomes[0] == Parked(
        "the relay takes no addresses beyond ASCII (SMTPUTF8): mend the recipient's address, or use a relay that does"
    )
    assert [taken["To"] for taken in old_relay[0].taken] == ["anna@customer.example"]


def test_a_domain_beyond_ascii_is_written_so_that_every_relay_takes_it(
    old_relay: tuple[Relay, str], clock: FrozenClock
) -> None:
    send(mail_handler(old_relay[1], clock), mail("anna@blåbær.example"))

    assert [taken["To"] for taken in old_relay[0].taken] == ["anna@xn--blbr-roah.example"]


def test_a_refused_recipient_needs_a_person_and_holds_up_nobody(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    outcomes = send(
        mail_handler(relay[1], clock), mail("nobody@customer.example"), mail("full@customer.example"), mail()
    )
    assert isinstance(outcomes[0], Parked)
    assert isinstance(outcomes[1], Later)
    assert [taken["To"] for taken in relay[0].taken] == ["anna@customer.example"]


def test_a_mail_that_can_not_be_written_waits_and_holds_up_nobody(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    outcomes = send(mail_handler(relay[1], clock), mail(attachment="lost"), mail())
    assert isinstance(outcomes[0], Later)
    assert "can't be written" in outcomes[0].reason
    assert len(relay[0].taken) == 1


def test_a_relay_that_is_down_is_tried_later(clock: FrozenClock) -> None:
    outcomes = send(mail_handler(f"smtp://127.0.0.1:{free_port()}", clock), mail(), mail())
    assert [type(outcome) for outcome in outcomes] == [Later, Later]


def test_a_password_never_shows(clock: FrozenClock) -> None:
    outcome = send(mail_handler(f"smtp://me:canary@127.0.0.1:{free_port()}", clock), mail())[0]
    assert "canary" not in repr(outcome)


def test_the_same_mail_again_has_the_same_message_id(
    engine: sa.Engine, relay: tuple[Relay, str], clock: FrozenClock
) -> None:
    """The relay takes the mail and hangs up: it goes out again, and receivers know it by its Message-ID."""
    handler = mail_handler(relay[1], clock)
    with engine.begin() as connection:
        prepare(connection, kind=MAIL, business_key="mail:1", payload=mail(subject="hang up").payload, now=NOW)
    assert dispatch(engine=engine, handlers=[handler], clock=clock, gate=LIVE) == {"unknown": 1}
    clock.advance(hours=1)
    dispatch(engine=engine, handlers=[handler], clock=clock, gate=LIVE)
    first, second = relay[0].taken
    assert first["Message-ID"] == second["Message-ID"]
    assert states(engine) == {"mail:1": "unknown"}


def test_different_mails_have_different_message_ids(relay: tuple[Relay, str], clock: FrozenClock) -> None:
    send(mail_handler(relay[1], clock), mail(subject="one"), mail(subject="two"))
    assert len({taken["Message-ID"] for taken in relay[0].taken}) == 2
