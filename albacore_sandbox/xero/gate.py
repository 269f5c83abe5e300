"""The gate in front of Xero: tokens, rate limits and idempotency keys, all by the world's clock.

Belongs here: who may pass, how often, and answers that are repeated.
Does not belong here: what lies behind.
Source: Xero's guides to custom connections, limits and idempotent requests.
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Document, Store, to_json
from albacore_sandbox.xero.reference import TENANT_ID
from albacore_sandbox.xero.wire import Answer

CLIENT = ("demo-client", "demo-secret")
TOKEN_SECONDS = 1800
A_MINUTE, A_DAY, AT_ONCE, APP_A_MINUTE = 60, 5000, 5, 10_000
KEY_SECONDS, KEY_CHARACTERS = 360, 128


class Gate:
    """Keeps tokens, counts calls in fixed windows and remembers answers for six minutes."""

    def __init__(self, *, clock: WorldClock, store: Store) -> None:
        self._clock = clock
        self._tokens = store.collection("xero_token")
        self._calls = store.collection("xero_calls")
        self._answers = store.collection("xero_answer")
        self._inside = 0

    def token(self, given: Mapping[str, str], login: tuple[str, str] | None) -> Answer:
        """The token endpoint: client credentials in Basic auth or in the form."""
        if given.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        if (login or (given.get("client_id"), given.get("client_secret"))) != CLIENT:
            return Answer(400, {"error": "invalid_client"})
        scopes = given.get("scope", "").split()
        if not scopes or not all(scope.startswith("accounting.") for scope in scopes):
            return Answer(400, {"error": "invalid_scope"})
        token = uuid.uuid4().hex + uuid.uuid4().hex
        self._forget_expired()
        self._tokens.put(token, {"until": self._clock.now() + TOKEN_SECONDS})
        body = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer", "scope": " ".join(scopes)}
        return Answer(200, body)

    def refusal(self, authorization: str, tenant: str | None) -> Answer | None:
        """The answer to whoever has no valid token or names another tenant."""
        scheme, _, token = authorization.partition(" ")
        kept = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if kept is None:
            return _problem(401, "Unauthorized", "AuthenticationUnsuccessful")
        if kept["until"] <= self._clock.now():
            return _problem(401, "Unauthorized", "TokenExpired: token expired")
        if tenant and tenant != TENANT_ID:
            return _problem(403, "Forbidden", "AuthenticationUnsuccessful")
        return None

    def enter(self) -> tuple[str | None, dict[str, str]]:
        """Count a call that begins: which limit it breaks, if any, and the headers for its answer."""
        now = self._clock.now()
        kept = self._calls.get("calls", {})
        minute, day = int(now // 60), int(now // 86_400)
        in_minute = kept.get("in_minute", 0) if kept.get("minute") == minute else 0
        in_day = kept.get("in_day", 0) if kept.get("day") == day else 0
        broken = self._broken(in_minute, in_day)
        if broken is None:
            in_minute, in_day = in_minute + 1, in_day + 1
            self._calls.put("calls", {"minute": minute, "in_minute": in_minute, "day": day, "in_day": in_day})
        headers = {
            "X-DayLimit-Remaining": str(A_DAY - in_day),
            "X-MinLimit-Remaining": str(A_MINUTE - in_minute),
            "X-AppMinLimit-Remaining": str(APP_A_MINUTE - in_minute),
        }
        if broken is not None:
            headers["X-Rate-Limit-Problem"] = broken
        if broken in ("minute", "day"):
            window = 60 if broken == "minute" else 86_400
            headers["Retry-After"] = str(int(window - now % window) + 1)
        self._inside += 1
        return broken, headers

    def leave(self) -> None:
        """A call has ended."""
        self._inside -= 1

    def repeated(self, key: str, *, fingerprint: str) -> Answer | None:
        """The answer that a key already got; a refusal if the key was used for something else."""
        if len(key) > KEY_CHARACTERS:
            return _bad_key(f"The Idempotency-Key must not be longer than {KEY_CHARACTERS} characters")
        kept = self._answers.get(key)
        if kept is None or kept["at"] + KEY_SECONDS <= self._clock.now():
            return None
        if kept["fingerprint"] != fingerprint:
            return _bad_key(f"The Idempotency-Key {key} is used with a different request")
        return Answer(kept["status"], b64decode(kept["body"]), kept["media_type"])

    def remember(self, key: str, answer: Answer, *, fingerprint: str) -> None:
        """Keep an answer, good or bad, for its key."""
        now = self._clock.now()
        for old in [k for k, kept in self._answers.items() if kept["at"] + KEY_SECONDS <= now]:
            self._answers.remove(old)
        raw = answer.body if isinstance(answer.body, bytes) else to_json(answer.body)
        kept: Document = {"at": now, "status": answer.status, "media_type": answer.media_type}
        self._answers.put(key, kept | {"body": b64encode(raw).decode(), "fingerprint": fingerprint})

    def _broken(self, in_minute: int, in_day: int) -> str | None:
        if self._inside >= AT_ONCE:
            return "concurrent"
        if in_minute >= A_MINUTE:
            return "minute"
        return "day" if in_day >= A_DAY else None

    def _forget_expired(self) -> None:
        for token in [t for t, kept in self._tokens.items() if kept["until"] <= self._clock.now()]:
            self._tokens.remove(token)


def fingerprint(*, method: str, url: str, body: bytes) -> str:
    """What makes two requests the same request."""
    return hashlib.sha256(f"{method} {url}\n".encode() + body).hexdigest()


def _problem(status: int, title: str, detail: str) -> Answer:
    body = {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(uuid.uuid4())}
    return Answer(status, body | {"Extensions": {}})


def _bad_key(text: str) -> Answer:
    return Answer(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": text})
