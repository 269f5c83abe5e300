"""The mailbox of bounces, on a server that really listens: what is taken, what is left, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from albacore_pipeline.effects import inbox
from albacore_pipeline.effects.bounces import Bounce
from albacore_pipeline.effects.inbox import InboxError, Reading, read_bounces, unread_mails
from albacore_pipeline.settings import SettingsError
from albacore_pipeline_tests.effects.imap import mail_server
from albacore_pipeline_tests.effects.reports import (
    ABSENCE,
    EXCHANGE,
    GMAIL,
    MESSAGE_ID,
    POSTFIX,
    POSTFIX_DELAYED,
    READ_RECEIPT,
    wire,
)

UNREADABLE = POSTFIX.replace(MESSAGE_ID, "none")


def nothing(bounces: Sequence[Bounce]) -> None:
    """Takes bounces and does nothing with them."""


def test_bounces_are_handed_over_and_their_reports_marked_as_read_and_the_rest_is_left_alone() -> None:
    mails = map(wire, (ABSENCE, POSTFIX, READ_RECEIPT, EXCHANGE, UNREADABLE, POSTFIX_DELAYED, GMAIL))
    taken: list[Bounce] = []
    with mail_server(*mails) as mailbox:
        reading = read_bounces(mailbox.url, take=taken.extend)

        assert [bounce.message_id for bounce in taken] == [MESSAGE_ID] * 3
        assert reading == Reading(reports=4, unreadable=1, others=2)
        assert mailbox.seen == [False, True, False, True, False, True, True]
        assert read_bounces(mailbox.url, take=taken.extend) == Reading(reports=0, unreadable=1, others=2)
    assert len(taken) == 3


def test_a_report_is_marked_only_when_its_bounces_were_taken() -> None:
    def take(bounces: Sequence[Bounce]) -> None:
        assert mailbox.seen == [False, False]
        raise ConnectionError("the database is gone")

    with mail_server(wire(POSTFIX), wire(GMAIL)) as mailbox:
        with pytest.raises(ConnectionError, match="the database is gone"):
            read_bounces(mailbox.url, take=take)
        assert mailbox.seen == [False, False]

        assert read_bounces(mailbox.url, take=nothing).reports == 2


def test_a_connection_that_breaks_loses_no_bounce() -> None:
    taken: list[Bounce] = []
    with mail_server(wire(POSTFIX)) as mailbox:
        mailbox.drops_at = "STORE"
        with pytest.raises(InboxError, match="broke off"):
            read_bounces(mailbox.url, take=taken.extend)
        mailbox.drops_at = ""
        read_bounces(mailbox.url, take=taken.extend)
    assert [bounce.message_id for bounce in taken] == [MESSAGE_ID] * 2  # once more, never less


def test_the_uid_may_stand_behind_what_was_asked_for() -> None:
    taken: list[Bounce] = []
    with mail_server(wire(ABSENCE), wire(POSTFIX)) as mailbox:
        mailbox.uid_behind = True
        read_bounces(mailbox.url, take=taken.extend)
        assert mailbox.seen == [False, True]
    assert len(taken) == 1


def test_more_reports_than_one_reading_takes_come_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_REPORTS", 2)
    monkeypatch.setattr(inbox, "AT_ONCE", 2)
    with mail_server(*[wire(POSTFIX)] * 3) as mailbox:
        assert [read_bounces(mailbox.url, take=nothing).reports for _ in range(3)] == [2, 1, 0]


def test_a_folder_full_of_other_mail_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_UNREAD", 2)
    with (
        mail_server(*[wire(ABSENCE)] * 3) as mailbox,
        pytest.raises(InboxError, match="holds 3 unread mails: give bounces a folder of their own"),
    ):
        read_bounces(mailbox.url, take=nothing)


def test_unread_mails_are_counted_without_marking_any() -> None:
    with mail_server(wire(ABSENCE), wire(POSTFIX)) as mailbox:
        assert unread_mails(mailbox.url) == 2
        assert mailbox.seen == [False, False]
        assert "STORE" not in mailbox.commands


@pytest.mark.parametrize("command", ["AUTHENTICATE", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_a_server_that_never_answers_is_left_at_the_deadline(command: str) -> None:
    with mail_server(wire(POSTFIX)) as mailbox:
        mailbox.hangs_at = command
        began = time.monotonic()
        with pytest.raises(InboxError):
            read_bounces(mailbox.url, take=nothing, deadline=0.3)
        assert time.monotonic() - began < 10
        assert mailbox.commands[-1] == command


def test_an_answer_without_end_is_not_taken() -> None:
    with mail_server(wire(POSTFIX)) as mailbox:
        mailbox.too_long = True
        with pytest.raises(InboxError, match="broke off"):
            read_bounces(mailbox.url, take=nothing)


def refused(url: str) -> str:
    with pytest.raises((InboxError, SettingsError)) as error:
        read_bounces(url, take=nothing)
    return str(error.value)


def test_each_wrong_address_is_named_with_the_mend_and_the_password_never_shows() -> None:
    with mail_server() as mailbox:
        here = f"127.0.0.1:{mailbox.port}"
        found = {
            refused(f"imap://somebody:canary@{here}/Returned%20mail"): "refuses the login: check user and password",
            refused(mailbox.url.replace("Returned%20mail", "elsewhere")): "has no such folder: check the path",
            refused(f"imaps://somebody:canary@{here}"): "does not answer (SSLError)",
            refused("imap://somebody:canary@127.0.0.1:1"): "does not answer (ConnectionRefusedError)",
            refused("imap://somebody:canary@mail.albacore.example"): "would send its password in clear: write imaps://",
            refused("https://somebody:canary@mail.albacore.example"): "is no address of a mailbox: write imaps://",
            refused("imaps://mail.albacore.example/INBOX"): "is no address of a mailbox",
            refused("imaps://somebody:canary@mail.albacore.example:port"): "is no URL",
            refused("imaps://somebody:canary@mail.albacore.example/Ø"): "names a folder beyond ASCII",
        }
    for line, words in found.items():
        assert words in line
        assert "ALBACORE_BOUNCES_URL" in line
        assert "canary" not in line and "\n" not in line


def test_without_a_folder_it_is_the_inbox() -> None:
    with mail_server() as mailbox:
        assert "has no such folder" in refused(mailbox.url.replace("/Returned%20mail", ""))
        assert mailbox.commands[-2:] == ["SELECT", "LOGOUT"]


def test_a_server_is_only_believed_with_a_certificate_that_somebody_vouches_for(unvouched_server: str) -> None:
    """The handshake fails before a word is said, so that any server will do."""
    line = refused(unvouched_server.replace("https://", "imaps://somebody:canary@"))

    assert "does not answer (SSLCertVerificationError)" in line
