"""Zabbix's JSON-RPC: one call, its envelope and its errors.

Belongs here: what every method shares in Zabbix 6.0 (zabbix.com/documentation/6.0/en/manual/api): the token or session
stands in the body, errors come with status 200, and an answer beyond PHP's memory is an empty 500.
Does not belong here: the methods that anyone calls (`zabbix.py`, `zabbix_history.py`, `zabbix_power.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from albacore_pipeline.data_centres.decode import decode, decoding
from albacore_pipeline.data_centres.http import Answer, SiteHttp
from albacore_pipeline.data_centres.interface import KeepRaw

T = TypeVar("T")
Params = Mapping[str, Any]

PATH = "/api_jsonrpc.php"
_HEADERS = {"Content-Type": "application/json-rpc"}  # anything but JSON is answered with 412
_LOST = ("Session terminated", "Not authori")


class TooMuch(Exception):
    """The server broke off for want of memory: ask for less."""


class SessionLost(Exception):
    """The token or session in the call is not known to the server, which has done nothing."""


class _Error(msgspec.Struct):
    message: str = ""
    data: str = ""


class _Reply(msgspec.Struct):
    jsonrpc: str
    id: int
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Error | None = None


class ZabbixRpc:
    """Calls methods of one Zabbix frontend."""

    def __init__(self, *, http: SiteHttp) -> None:
        self.http = http
        self._numbers = itertools.count(1)

    def call(
        self,
        *,
        what: str,
        method: str,
        params: Params,
        auth: str | None,
        keep_raw: KeepRaw | None = None,
        once: bool = False,
    ) -> bytes:
        """The method's result as JSON. `once` is for methods that change the world.

        Raises the client's failure, TooMuch or SessionLost.
        """
        number = next(self._numbers)
        call = {"jsonrpc": "2.0", "method": method, "params": params, "auth": auth, "id": number}
        content = msgspec.json.encode(call)
        ask = self.http.command if once else self.http.read
        answer = ask(what=what, path=PATH, method="POST", accept=_usable, headers=_HEADERS, content=content)
        if answer.status == 500:
            raise TooMuch
        if keep_raw:
            keep_raw(answer.raw)
        with decoding(body=answer.body, http=self.http, what=what):
            reply = msgspec.json.decode(answer.body, type=_Reply)
            if reply.error is None and (reply.id != number or not bytes(reply.result)):
                raise msgspec.ValidationError("no result, or the result of another call")
        if reply.error:
            self._refuse(what, reply.error)
        return bytes(reply.result)

    def _refuse(self, what: str, error: _Error) -> None:
        if error.data.startswith(_LOST):
            raise SessionLost
        cause = f"Zabbix says: {error.message} {error.data}"
        raise self.http.failure(what=what, cause=cause, mend="see that the user behind {prefix}_PASSWORD may do this")


class TokenCalls:
    """Calls in the name of an API token. Raises the client's failure, and `raw` TooMuch."""

    def __init__(self, *, rpc: ZabbixRpc, token: str) -> None:
        self._rpc, self._token = rpc, token

    @property
    def http(self) -> SiteHttp:
        """The client underneath, for its failures."""
        return self._rpc.http

    def call(
        self,
        *,
        what: str,
        method: str,
        params: Params,
        kind: type[T],
        keep_raw: KeepRaw | None = None,
        lax: bool = False,
    ) -> T:
        """The method's result as `kind`; `lax` lets its numbers be strings."""
        try:
            body = self.raw(what=what, method=method, params=params, keep_raw=keep_raw)
        except TooMuch:
            raise self.too_much(what=what) from None
        return decode(body=body, kind=kind, http=self.http, what=what, lax=lax)

    def raw(self, *, what: str, method: str, params: Params, keep_raw: KeepRaw | None = None) -> bytes:
        """The method's result as JSON."""
        try:
            return self._rpc.call(what=what, method=method, params=params, auth=self._token, keep_raw=keep_raw)
        except SessionLost:
            mend = "check {prefix}_PASSWORD: it is the token"
            raise self.http.failure(what=what, cause="the API token was refused", mend=mend) from None

    def too_much(self, *, what: str) -> Exception:
        """The failure of a question that can't be made smaller."""
        mend = "raise PHP's memory_limit at the site, or lower the site's batch_machines"
        return self.http.failure(what=what, cause="Zabbix broke off (HTTP 500)", mend=mend)


def _usable(answer: Answer) -> bool:
    """A 500 without a body is PHP out of memory; any other is a fault that may pass."""
    return answer.status == 200 or (answer.status == 500 and not answer.body)
