"""Answers over HTTP that every interface shares: JSON, Basic auth, and the ways in which a request can fail.

Belongs here: what is the same for all of the interfaces.
Does not belong here: anyone's own bodies and status codes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from albacore_sandbox.store import Document, to_json

ENERGY_LOGIN = ("billing", "demo-billing")
CONTROL_LOGIN = ("control", "demo-control")

_open_connections: dict[tuple[str, int], asyncio.Transport] = {}


class Protocol(H11Protocol):
    """HTTP/1.1 that knows its connections, so that an answer can be lost."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection by its peer."""
        super().connection_made(transport)
        _open_connections[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        _open_connections.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


class Dropped(Response):
    """No answer at all: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection and wait until it is gone."""
        _open_connections[tuple(scope["client"])].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def json_answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; bytes are taken for JSON already."""
    body = value if isinstance(value, bytes) else to_json(value)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def text_answer(text: str, *, status: int, headers: dict[str, str] | None = None) -> Response:
    """A plain-text answer."""
    return Response(text, status_code=status, headers=headers, media_type="text/plain")


def basic_login(request: Request) -> tuple[str, str] | None:
    """User and password of HTTP Basic auth, or None."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


async def parameters(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query and, for a form, of the body, in order."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        pairs += parse_qsl((await request.body()).decode(), keep_blank_values=True)
    return pairs


async def with_fault(fault: Document | None, *, respond: Callable[[], Response], error: Any, empty: Any) -> Response:
    """The answer as a fault leaves it; without one, as it is. `error` and `empty` are the interface's own bodies."""
    if fault is None:
        return respond()
    match fault["kind"]:
        case "outage":
            return Dropped()
        case "http_500":
            return text_answer("Internal Server Error", status=500)
        case "http_429":
            headers = {"Retry-After": str(fault.get("retry_after", 2))}
            return text_answer("Too Many Requests", status=429, headers=headers)
        case "html":
            page = "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
            return Response(page, media_type="text/html")
        case "empty":
            return Response(b"", media_type="application/json")
        case "empty_result":
            return json_answer(empty)
        case "error_in_200":
            return json_answer(error)
    answer = respond()
    match fault["kind"]:
        case "lost_answer":
            return Dropped()
        case "slow":
            await asyncio.sleep(float(fault.get("seconds", 5)))
            return answer
        case "truncated":
            whole = bytes(answer.body)
            return Response(whole[: len(whole) // 2].rstrip(), media_type=answer.media_type or "application/json")
    raise AssertionError(f"fault {fault['kind']} has no answer")
