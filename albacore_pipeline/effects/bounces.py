"""Bounces: what a report on a delivery (DSN, RFC 3464) says about one of our mails.

A report is `multipart/report`: words for people, `message/delivery-status` for programs, and the mail that it is about,
whole or by its headers. Its own parts are cut at its boundary and nothing within them is taken apart further, so no
nesting, however deep, costs anything.

Belongs here: from bytes to bounces; anybody may have written the bytes. Does not belong here: the mailbox they come
from (`inbox.py`), and what a bounce stops.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

LONGEST = 1_000_000  # bytes of a report that are looked at; the mail that it returns stands last, and may be cut off
LONGEST_HEAD = 64_000
LONGEST_FIELD = 500
MOST_PARTS = 20
MOST_RECIPIENTS = 100

_STATUSES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")


class BounceError(ValueError):
    """No report on a delivery, or one that can't be read or doesn't say which mail it is about: one line."""


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """A mail that did not arrive, at one of its recipients; whoever reported it has given up.

    `message_id` has its angle brackets; `status` is of RFC 3463, `5.0.0` where none is given; the texts are the
    reporter's, on one line of at most 500 characters.
    """

    message_id: str
    recipient: str
    status: str
    diagnostic: str

    @property
    def temporary(self) -> bool:
        """Whether the reporter gave up over something that may pass, such as a server that was down for days."""
        return self.status.startswith("4")


def is_report(content_type: str) -> bool:
    """Whether a Content-Type, without the name of the header, is that of a report on a delivery."""
    if len(content_type) > LONGEST_FIELD:  # taking apart a very long one takes very long
        return False
    header = HeaderParser().parsestr(f"Content-Type: {' '.join(content_type.split())}\n\n")
    return header.get_content_type() == "multipart/report" and header.get_param("report-type", "") in (
        "delivery-status", "global-delivery-status",
    )  # fmt: skip


def bounces_of(report: bytes) -> tuple[Bounce, ...]:
    """The bounces in a report, one for each recipient for whom the mail failed.

    None where it is only delayed, relayed or delivered. Raises BounceError, and nothing else.
    """
    head, body = _head_and_body(report[:LONGEST])
    if not is_report(_content_type(head)):
        raise BounceError("is no report on a delivery")
    boundary = head.get_boundary()
    if not boundary:
        raise BounceError("has no boundary between its parts")
    parts = list(_parts(body, boundary=boundary))
    failed = [block for kind, content in parts if kind in _STATUSES for block in _failed(content)]
    if not failed:
        return ()
    returned = (_head_and_body(content)[0] for kind, content in parts if kind in _RETURNED)
    found = [match for header in returned if (match := _MESSAGE_ID.search(_field(header, "Message-ID")))]
    if not found:
        raise BounceError("does not say which mail it is about")
    return tuple(_bounce(block, message_id=found[0].group()) for block in failed)


def _head_and_body(content: bytes) -> tuple[Message, bytes]:
    head, _, body = _partition(content.lstrip(b"\r\n"))
    if len(head) > LONGEST_HEAD:
        raise BounceError(f"has a header of {len(head)} bytes: at most {LONGEST_HEAD}")
    return HeaderParser().parsestr(head.decode("utf-8", "replace")), body


def _partition(content: bytes) -> tuple[bytes, bytes, bytes]:
    blank = _BLANK_LINE.search(content)
    return (content[: blank.start()], blank.group(), content[blank.end() :]) if blank else (content, b"", b"")


def _content_type(head: Message) -> str:
    return str(head.get("Content-Type", ""))


def _parts(body: bytes, *, boundary: str) -> Iterator[tuple[str, bytes]]:
    """The report's own parts: type and content."""
    line = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(?:--)?[ \t]*\r?$", re.MULTILINE)
    for part in line.split(body, maxsplit=MOST_PARTS)[1:]:
        head, content = _head_and_body(part)
        if len(_content_type(head)) <= LONGEST_FIELD:
            yield head.get_content_type(), _decoded(content, encoding=_field(head, "Content-Transfer-Encoding"))


def _decoded(content: bytes, *, encoding: str) -> bytes:
    if encoding.lower() == "base64":
        return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", content) + b"===")
    return quopri.decodestring(content) if encoding.lower() == "quoted-printable" else content


def _failed(content: bytes) -> list[Message]:
    """The fields of each recipient for whom a mail failed."""
    blocks = [block for block in _BLANK_LINE.split(content, maxsplit=MOST_RECIPIENTS) if block.strip()]
    headers = [_head_and_body(block)[0] for block in blocks]
    return [header for header in headers if _field(header, "Action").lower().split(" ")[0] == "failed"]


def _bounce(block: Message, *, message_id: str) -> Bounce:
    status = _STATUS.search(_field(block, "Status"))
    return Bounce(
        message_id=message_id,
        recipient=_after_type(_field(block, "Original-Recipient") or _field(block, "Final-Recipient")),
        status=status.group() if status else "5.0.0",
        diagnostic=_after_type(_field(block, "Diagnostic-Code")),
    )


def _after_type(field: str) -> str:
    """What stands behind the type in `rfc822; anna@customer.example`."""
    kind, semicolon, value = field.partition(";")
    return (value if semicolon else kind).strip()


def _field(header: Message, name: str) -> str:
    """A field on one line: without line breaks, control characters and marks that turn the writing around."""
    text = str(header.get(name, ""))[: 4 * LONGEST_FIELD]
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line[:LONGEST_FIELD]
