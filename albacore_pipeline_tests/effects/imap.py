"""A mail server with one mailbox, which speaks as much IMAP as reading bounces needs."""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

LOGIN = ("bounces@albacore.example", "p w/ø")
FOLDER = "Returned mail"


@dataclass
class Mail:
    """A mail in the folder."""

    raw: bytes
    seen: bool = False


@dataclass
class Mailbox:
    """What lies in the folder, and how the server behaves."""

    mails: list[Mail] = field(default_factory=list)
    hangs_at: str = ""  # a command that it never answers
    drops_at: str = ""  # a command at which it hangs up
    uid_behind: bool = False  # names the UID behind the content, as some servers do
    too_long: bool = False  # announces far more than was asked for
    commands: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def seen(self) -> list[bool]:
        return [mail.seen for mail in self.mails]

    @property
    def url(self) -> str:
        return f"imap://bounces%40albacore.example:p%20w%2F%C3%B8@127.0.0.1:{self.port}/Returned%20mail"


@contextmanager
def mail_server(*mails: bytes) -> Iterator[Mailbox]:
    """The mailbox of a running server; mails have the UIDs 101, 102 and so on."""
    mailbox = Mailbox(mails=[Mail(raw) for raw in mails])
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mailbox, mailbox.port = mailbox, server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield mailbox
        finally:
            mailbox.ending.set()
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    mailbox: Mailbox
    daemon_threads = True


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.mailbox = cast(_Server, self.server).mailbox
        self.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            tag, _, rest = line.partition(" ")
            command = rest.removeprefix("UID ").split(" ")[0]
            self.mailbox.commands.append(command)
            if command == self.mailbox.hangs_at:
                self.mailbox.ending.wait()
            if command in (self.mailbox.hangs_at, self.mailbox.drops_at):
                return
            self.say(f"{tag} {getattr(self, command.lower())(rest)} done")

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def capability(self, rest: str) -> str:
        self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        return "OK"

    def authenticate(self, rest: str) -> str:
        self.say("+ ")
        given = base64.b64decode(self.rfile.readline()).decode().split("\0")
        return "OK" if given == ["", *LOGIN] else f"NO [AUTHENTICATIONFAILED] wrong: {given}"

    def select(self, rest: str) -> str:
        if rest != f'SELECT "{FOLDER}"':
            return "NO no such folder:"
        self.say(f"* {len(self.mailbox.mails)} EXISTS")
        return "OK [READ-WRITE]"

    def search(self, rest: str) -> str:
        unseen = [str(101 + number) for number, mail in enumerate(self.mailbox.mails) if not mail.seen]
        self.say(" ".join(["* SEARCH", *unseen]))
        return "OK"

    def fetch(self, rest: str) -> str:
        uids, section = re.fullmatch(r"UID FETCH ([\d,]+) \(UID (BODY\.PEEK\[.*)\)", rest).groups()  # type: ignore[union-attr]
        for uid in map(int, uids.split(",")):
            raw = self.mailbox.mails[uid - 101].raw
            if partial := re.search(r"<0\.(\d+)>", section):
                content = raw[: int(partial[1])]
            else:
                found = re.search(rb"(?im)^Content-Type:.*\r\n([ \t].*\r\n)*", raw.partition(b"\r\n\r\n")[0] + b"\r\n")
                content = (found[0] if found else b"") + b"\r\n"
            name = section.replace(".PEEK", "").replace("(CONTENT-TYPE)", '("CONTENT-TYPE")')
            before, behind = ("", f" UID {uid}") if self.mailbox.uid_behind else (f"UID {uid} ", "")
            length = 10**9 if self.mailbox.too_long else len(content)
            self.wfile.write(f"* {uid - 100} FETCH ({before}{name} {{{length}}}\r\n".encode() + content)
            self.say(f"{behind})")
        return "OK"

    def store(self, rest: str) -> str:
        (uid,) = re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", rest).groups()  # type: ignore[union-attr]
        self.mailbox.mails[int(uid) - 101].seen = True
        return "OK"

    def logout(self, rest: str) -> str:
        self.say("* BYE")
        return "OK"
