"""The mailbox to which mails come back, read over IMAP.

Belongs here: finding the reports on deliveries among what is unread, and marking as read what was taken. Does not
belong here: what a report says (`bounces.py`), and what a bounce stops.
"""

from __future__ import annotations

import imaplib
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from albacore_pipeline.effects.bounces import LONGEST, Bounce, BounceError, bounces_of, is_report
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.tls import trusted

VARIABLE = "ALBACORE_BOUNCES_URL"
TIMEOUT = 30.0  # of each step, in seconds
DEADLINE = 300.0  # of a whole reading, whatever the server does
MOST_UNREAD = 20_000
MOST_REPORTS = 500  # in one reading; the others come with the next
AT_ONCE = 200
LOOPBACK = ("localhost", "127.0.0.1", "::1")

Answer = list[bytes | tuple[bytes, bytes] | None]  # lines; or, with what follows them, the beginnings of lines

_UID = re.compile(rb"\bUID (\d+)")
_FAULTS = (imaplib.IMAP4.error, OSError, ValueError)  # what imaplib raises on whatever a server says


class InboxError(Exception):
    """The mailbox can't be read: one line with the cause, and nothing of what the server or the URL said."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What stood unread in the mailbox, as numbers of mails."""

    reports: int  # on deliveries, taken and marked as read
    unreadable: int  # reports that don't say what they are about: left unread, for a person
    others: int  # no reports, such as answers of customers: left alone


def read_bounces(url: str, *, take: Callable[[Sequence[Bounce]], None], deadline: float = DEADLINE) -> Reading:
    """Hand the bounces of each unread report to `take`, and mark the report as read when it returns.

    `take` has committed them when it returns; when it raises, its report stays unread and the reading ends. So after a
    crash a bounce is handed over once more, never lost. Raises InboxError, and SettingsError where the URL is wrong.
    """
    with _opened(url, deadline=deadline) as inbox:
        unread = inbox.unread()
        reports = [uid for uid in unread if is_report(unread[uid])]
        unreadable = 0
        taken = reports[:MOST_REPORTS]
        for uid in taken:
            try:
                bounces = bounces_of(inbox.content(uid))
            except BounceError:
                unreadable += 1
                continue
            if bounces:
                take(bounces)
            inbox.mark_read(uid)
    return Reading(reports=len(taken) - unreadable, unreadable=unreadable, others=len(unread) - len(reports))


def unread_mails(url: str, *, deadline: float = DEADLINE) -> int:
    """How many mails stand unread in the mailbox: logs in, and changes nothing. Raises as `read_bounces` does."""
    with _opened(url, deadline=deadline) as inbox:
        return len(inbox.unread())


@contextmanager
def _opened(url: str, *, deadline: float) -> Iterator[_Inbox]:
    parts = _checked(url)
    connection = _connected(parts)
    timer = Timer(deadline, _hang_up, args=[connection.sock])
    timer.daemon = True
    timer.start()
    try:
        inbox = _Inbox(connection)
        inbox.log_in(unquote(parts.username or ""), unquote(parts.password or ""))
        inbox.select(unquote(parts.path).strip("/") or "INBOX")
        yield inbox
    finally:
        timer.cancel()
        with suppress(*_FAULTS):  # what was marked is marked; a farewell that fails changes nothing
            connection.logout()


def _checked(url: str) -> SplitResult:
    """The URL's parts; raises SettingsError that names the variable and shows nothing of it."""
    try:
        parts = urlsplit(url)
        good = parts.port is None or parts.port > 0
    except ValueError:
        raise SettingsError(f"{VARIABLE} is no URL: write imaps://user:password@host/folder") from None
    if parts.scheme not in ("imaps", "imap") or not (good and parts.hostname and parts.username and parts.password):
        raise SettingsError(f"{VARIABLE} is no address of a mailbox: write imaps://user:password@host/folder")
    if parts.scheme == "imap" and parts.hostname not in LOOPBACK:
        raise SettingsError(f"{VARIABLE} would send its password in clear: write imaps://")
    if not unquote(parts.path).isascii():
        raise SettingsError(f"{VARIABLE} names a folder beyond ASCII: give the folder a plain name")
    return parts


def _connected(parts: SplitResult) -> imaplib.IMAP4:
    host = str(parts.hostname)
    try:
        if parts.scheme == "imaps":
            return _BoundedTls(host, parts.port or 993, ssl_context=trusted(), timeout=TIMEOUT)
        return _Bounded(host, parts.port or 143, timeout=TIMEOUT)
    except _FAULTS as error:
        raise InboxError(f"the mailbox of bounces does not answer ({type(error).__name__}): check {VARIABLE}") from None


def _hang_up(connection: socket.socket) -> None:
    """End every wait for the server, so that a slow one can't hold up anybody."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Bounded(imaplib.IMAP4):
    """A connection that takes no more at once than was asked for."""

    def read(self, size: int) -> bytes:
        if size > 2 * LONGEST:
            raise self.abort(f"an answer of {size} bytes")
        return super().read(size)


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same over TLS."""


class _Inbox:
    """A folder, and what may be asked of it."""

    def __init__(self, connection: imaplib.IMAP4) -> None:
        self._connection = connection

    def log_in(self, user: str, password: str) -> None:
        self._ask(
            lambda: self._connection.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode()),
            "refuses the login: check user and password in",
        )

    def select(self, folder: str) -> None:
        quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
        self._ask(lambda: self._connection.select(f'"{quoted}"'), "has no such folder: check the path in")

    def unread(self) -> dict[str, str]:
        """The Content-Type of each unread mail by its UID, oldest first."""
        found = b" ".join(line for line in self._uid("SEARCH", "UNSEEN") if isinstance(line, bytes))
        uids = found.decode("ascii", "replace").split()
        if len(uids) > MOST_UNREAD:
            raise InboxError(
                f"the mailbox of bounces holds {len(uids)} unread mails: give bounces a folder of their own"
            )
        types: dict[str, str] = {}
        for start in range(0, len(uids), AT_ONCE):
            chunk = ",".join(uids[start : start + AT_ONCE])
            types |= _by_uid(self._uid("FETCH", chunk, "(UID BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)])"))
        return {uid: types.get(uid, "") for uid in uids}

    def content(self, uid: str) -> bytes:
        """A mail as it came, or as much of it as is looked at; it stays unread."""
        answer = self._uid("FETCH", uid, f"(UID BODY.PEEK[]<0.{LONGEST}>)")
        return next((item[1] for item in answer if isinstance(item, tuple)), b"")

    def mark_read(self, uid: str) -> None:
        self._uid("STORE", uid, "+FLAGS.SILENT", "(\\Seen)")

    def _uid(self, *words: str) -> Answer:
        answer: Answer = self._ask(lambda: self._connection.uid(*words), "broke off: check")
        return answer

    def _ask(self, question: Callable[[], tuple[str, Any]], otherwise: str) -> Any:
        try:
            state, answer = question()
        except _FAULTS as error:
            raise InboxError(f"the mailbox of bounces {otherwise} {VARIABLE} ({type(error).__name__})") from None
        if state != "OK":
            raise InboxError(f"the mailbox of bounces {otherwise} {VARIABLE}")
        return answer


def _by_uid(answer: Answer) -> dict[str, str]:
    """The Content-Type of each mail in an answer, in which the UID may stand before or behind it."""
    found = {}
    for number, item in enumerate(answer):
        if isinstance(item, tuple):
            behind = answer[number + 1] if number + 1 < len(answer) else b""
            uid = _UID.search(item[0]) or _UID.search(behind if isinstance(behind, bytes) else b"")
            if uid:
                text = item[1].decode("utf-8", "replace").strip()
                found[uid.group(1).decode()] = text.partition(":")[2]
    return found
