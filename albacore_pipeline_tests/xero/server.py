"""A Xero of one page: a real HTTP server on loopback that answers as the test says, and remembers what was asked.

Belongs here: what the client's tests share. Does not belong here: any of Xero's rules; the sandbox has those.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from albacore_pipeline.settings import Settings
from albacore_pipeline.xero.client import Xero, connect
from albacore_pipeline_tests.clocks import FrozenClock, utc

TENANT = "11111111-2222-3333-4444-555555555555"
SECRET, TOKEN = "canary-secret-7f", "canary-token-7f"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request. `body` is bytes for a file, JSON otherwise, None for none."""

    call: str  # method and path below the API's base
    parameters: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What goes back; a status of 0 breaks the connection instead."""

    body: Any = field(default_factory=dict)  # bytes as they are, all else as JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Server:
    """`answer` is what the API says; the token endpoint and the list of connections have answers of their own."""

    url: str = ""
    answer: Callable[[Asked], Reply] = lambda _: Reply()
    token: Reply = field(default_factory=lambda: Reply(body={"access_token": TOKEN, "expires_in": 1800}))
    connections: Reply = field(default_factory=lambda: Reply(body=[{"tenantId": TENANT}]))
    asked: list[Asked] = field(default_factory=list)  # of the API
    tokens: int = 0
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(utc("2025-11-01T06:00")))

    def says(self, body: Any, *, status: int = 200, **headers: str) -> None:
        """The same answer to whatever the API is asked from now on."""
        reply = Reply(
            body=body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        self.answer = lambda _: reply

    def connect(self) -> Xero:
        """The product's own client."""
        settings = Settings.model_validate(
            {
                "XERO_CLIENT_ID": "client",
                "XERO_CLIENT_SECRET": SECRET,
                "XERO_API_URL": f"{self.url}/api.xro/2.0",
                "XERO_TOKEN_URL": f"{self.url}/connect/token",
            }
        )
        return connect(settings=settings, clock=self.clock)

    def reply(self, asked: Asked) -> Reply:
        """The answer to a request, which is counted."""
        match asked.call:
            case "POST /connect/token":
                self.tokens += 1
                return self.token
            case "GET /connections":
                return self.connections
        self.asked.append(asked)
        return self.answer(asked)


@contextmanager
def running() -> Iterator[Server]:
    """A server that answers until the end of the block."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            parts = urlsplit(self.path)
            taken = self.rfile.read(int(self.headers.get("content-length") or 0))
            is_json = self.headers.get("content-type", "").startswith("application/json")
            path = parts.path.removeprefix("/api.xro/2.0")
            asked = Asked(
                call=f"{self.command} {path}",
                parameters=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=(json.loads(taken) if is_json else taken) if taken else None,
            )
            self._send(server.reply(asked))

        do_GET = do_POST = do_PUT = do  # noqa: N815 - the base class wants these names

        def _send(self, reply: Reply) -> None:
            self.close_connection = reply.status == 0
            if reply.status == 0:
                return
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)  # without a `Date`, which is the test's to give
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
