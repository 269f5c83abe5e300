"""Bounces, as Postfix, Exchange and Gmail report them, and whatever else lands in a mailbox."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.effects.bounces import LONGEST, Bounce, BounceError, bounces_of, is_report
from albacore_pipeline_tests.effects.reports import (
    ABSENCE,
    EXCHANGE,
    GMAIL,
    MESSAGE_ID,
    POSTFIX,
    POSTFIX_DELAYED,
    POSTFIX_EXPIRED,
    READ_RECEIPT,
    wire,
)

WHOLE = (POSTFIX, EXCHANGE, GMAIL, POSTFIX_EXPIRED, POSTFIX_DELAYED)


@pytest.mark.parametrize(
    ("report", "status", "diagnostic"),
    [
        (POSTFIX, "5.1.1", "550 5.1.1 <anna@customer.example>: Recipient address rejected: User unknown"),
        (
            EXCHANGE,
            "5.1.10",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient anna@customer.example not found by SMTP address"
            " lookup",
        ),
        (GMAIL, "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist."),
    ],
    ids=["postfix", "exchange", "gmail"],
)
@pytest.mark.parametrize("lines", ["\r\n", "\n"])
def test_a_report_says_which_mail_did_not_reach_whom_and_why(
    report: str, status: str, diagnostic: str, lines: str
) -> None:
    (bounce,) = bounces_of(report.replace("\n", lines).encode())

    assert bounce == Bounce(
        message_id=MESSAGE_ID, recipient="anna@customer.example", status=status, diagnostic=diagnostic
    )
    assert not bounce.temporary


def test_what_is_only_delayed_is_no_bounce() -> None:
    assert bounces_of(wire(POSTFIX_DELAYED)) == ()


@pytest.mark.parametrize("action", ["relayed", "delivered", "expanded", "Delayed"])
def test_what_was_passed_on_is_no_bounce(action: str) -> None:
    assert bounces_of(wire(POSTFIX.replace("Action: failed", f"Action: {action}"))) == ()


def test_a_server_that_gave_up_after_days_did_not_deliver() -> None:
    """Its status begins with 4 for what may pass, but the action says that nobody tries again."""
    (bounce,) = bounces_of(wire(POSTFIX_EXPIRED))

    assert (bounce.message_id, bounce.status, bounce.temporary) == (MESSAGE_ID, "4.4.1", True)


def test_a_mail_to_several_people_bounces_for_those_whom_it_did_not_reach() -> None:
    ben = "Final-Recipient: rfc822; ben@customer.example\nAction: failed\nStatus: 5.2.2 (mailbox full)\n\n"
    cat = "Final-Recipient: rfc822; cat@customer.example\nAction: delivered\nStatus: 2.0.0\n\n"
    report = POSTFIX.replace("Final-Recipient: rfc822; anna", ben + cat + "Final-Recipient: rfc822; anna")

    found = {(bounce.recipient, bounce.status) for bounce in bounces_of(wire(report))}

    assert found == {("anna@customer.example", "5.1.1"), ("ben@customer.example", "5.2.2")}


def test_headers_alone_of_the_returned_mail_are_enough() -> None:
    (bounce,) = bounces_of(wire(POSTFIX.replace("message/rfc822", "text/rfc822-headers")))

    assert bounce.message_id == MESSAGE_ID


def test_addresses_beyond_ascii_are_reported_in_types_of_their_own() -> None:
    report = (
        POSTFIX.replace("report-type=delivery-status", "report-type=global-delivery-status")
        .replace("message/delivery-status", "message/global-delivery-status")
        .replace("message/rfc822", "message/global-headers")
        .replace("Original-Recipient: rfc822;anna@", "Original-Recipient: utf-8;bjørn@")
    )

    assert bounces_of(wire(report))[0].recipient == "bjørn@customer.example"


def test_a_returned_mail_of_any_size_may_be_cut_off() -> None:
    report = POSTFIX.replace("Dear Anna", "Dear Anna\n" + ("x" * 75 + "\n") * 40_000)

    assert len(report) > 2 * LONGEST
    assert bounces_of(wire(report)) == bounces_of(wire(POSTFIX))


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (ABSENCE, "is no report on a delivery"),
        (READ_RECEIPT, "is no report on a delivery"),
        (POSTFIX.replace("boundary=", "border="), "has no boundary"),
        (POSTFIX.replace(f"Message-ID: {MESSAGE_ID}", "X: y"), "does not say which mail"),
        (POSTFIX.replace(MESSAGE_ID, "none"), "does not say which mail"),
        (POSTFIX.replace("message/rfc822", "application/octet-stream"), "does not say which mail"),
        ("", "is no report on a delivery"),
        ("Subject: " + "x" * 100_000, "has a header of 100009 bytes"),
        (POSTFIX.replace("Return-Path: <>", "X: " + "y" * 100_000), "has a header of"),
    ],
)
def test_what_can_not_be_taken_for_a_bounce_is_said_in_one_line(mail: str, words: str) -> None:
    with pytest.raises(BounceError, match=words) as refused:
        bounces_of(wire(mail))

    assert "\n" not in str(refused.value)


def nested(levels: int) -> str:
    """A returned mail of multiparts within multiparts."""
    inner = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(levels))
    return POSTFIX.replace("Dear Anna", inner)


QUOTES = POSTFIX.replace('boundary="9A8B', 'x=";' + '";' * 200_000 + ' boundary="9A8B')


@pytest.mark.parametrize(
    "mail",
    [nested(20_000), QUOTES, POSTFIX.replace("Dear Anna", "\n--x" * 200_000), "Content-Type: " + "\n\n" * 400_000],
    ids=["nested", "quotes", "boundaries", "blank lines"],
)
def test_a_mail_that_is_made_to_hurt_is_done_with_at_once(mail: str) -> None:
    began = time.process_time()
    with suppress(BounceError):
        assert bounces_of(wire(mail)) == bounces_of(wire(POSTFIX))
    assert time.process_time() - began < 2


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_report_says_nothing_else_than_a_bounce_or_one_error(data: st.DataObject) -> None:
    report = bytearray(wire(data.draw(st.sampled_from(WHOLE))))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(report)))
        end = start + data.draw(st.integers(0, 80))
        report[start:end] = data.draw(
            st.binary(max_size=40) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"", b'";', b"\xff"])
        )
    try:
        found = bounces_of(bytes(report))
    except BounceError:
        return
    for bounce in found:
        for text in (bounce.message_id, bounce.recipient, bounce.status, bounce.diagnostic):
            assert text == "" or text.isprintable()
            assert len(text) <= 500


@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_report_or_one_error(content: bytes) -> None:
    with pytest.raises(BounceError):
        bounces_of(content)


def test_a_content_type_is_known_however_it_is_written() -> None:
    assert is_report('multipart/report; report-type=delivery-status; boundary="x"')
    assert is_report('Multipart/Report;\r\n\tboundary="x";\r\n report-type="delivery-status"')
    assert not is_report("multipart/report; report-type=disposition-notification")
    assert not is_report("text/plain")
    assert not is_report("")
