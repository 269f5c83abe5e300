"""The one way out to a data centre over HTTP.

Belongs here: deadlines, bounded retries of reads, the cap on what is taken in, and errors that carry no secret.
Does not belong here: what an answer means; each interface's own module knows that.
"""

from __future__ import annotations

import ssl
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import Raw
from albacore_pipeline.tls import trusted

NO_ANSWER = "check that the site's server and the link to it are up, then run again"
WRONG_ADDRESS = "check {prefix}_URL: it is the base, without the API's own path"
UNSURE = "the command may have been carried out: read the power state before anything else"


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """How patient and how trusting the client is. Seconds; `max_bytes` counts decoded bytes of one answer.

    `total_seconds` bounds one attempt and is looked at as each part of the body arrives; up to then, connecting and
    every single wait for a byte are bounded by the other two.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    total_seconds: float = 300.0
    max_bytes: int = 256 * 2**20
    attempts: int = 4
    max_wait_seconds: float = 60.0
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer's status and decoded body. `delimited` says whether HTTP itself proves that the body is whole."""

    status: int
    raw: Raw
    headers: httpx.Headers
    delimited: bool

    @property
    def body(self) -> bytes:
        """The decoded body."""
        return self.raw.content


Accept = Callable[[Answer], bool]


def status(*accepted: int) -> Accept:
    """Lets answers with these statuses through."""
    return lambda answer: answer.status in accepted


OK = status(200)


class _Unusable(Exception):
    """An answer that asking again won't mend. `mend` stands in the final error."""

    def __init__(self, cause: str, mend: str) -> None:
        super().__init__(cause)
        self.cause, self.mend = cause, mend


class _Transient(_Unusable):
    """A failure that may be gone a moment later; `after` is what the server asked us to wait, in seconds."""

    def __init__(self, cause: str, mend: str, after: float | None = None) -> None:
        super().__init__(cause, mend)
        self.after = after


class SiteHttp:
    """Talks to one interface of one site. Raises only `failure`, with one line: site, what was asked, cause, mend.

    TLS is verified, proxies of the environment are ignored, and no redirect is followed, so that credentials stay
    with the host they were given for. Whatever the number of threads, one request at a time is under way. `prefix` is
    the prefix of the interface's settings, for the mends.
    """

    def __init__(
        self,
        *,
        site: str,
        prefix: str,
        endpoint: Endpoint,
        failure: type[Exception],
        options: HttpOptions,
        basic_auth: bool = True,
    ) -> None:
        self.site, self.prefix, self.endpoint = site, prefix, endpoint
        self._failure, self._options, self._turn = failure, options, threading.Lock()
        self._client = httpx.Client(
            auth=httpx.BasicAuth(endpoint.username, endpoint.password) if basic_auth else None,
            verify=trusted(),
            timeout=httpx.Timeout(options.read_seconds, connect=options.connect_seconds),
            transport=options.transport,
            headers={"Accept-Encoding": "gzip", "User-Agent": "albacore-pipeline"},
            follow_redirects=False,
            trust_env=False,
        )
        weakref.finalize(self, self._client.close)

    def failure(self, *, what: str, cause: str, mend: str) -> Exception:
        """The error to raise, as one line. Texts of the site are cut short and flattened."""
        return self._failure(f"{self.site}: {flat(what)}: {flat(cause)}; {mend.format(prefix=self.prefix)}")

    def read(self, *, what: str, path: str, method: str = "GET", accept: Accept = OK, **body: Any) -> Answer:
        """Ask for something that changes nothing, again if need be. `body` is httpx's params, data, json, headers.

        Only an answer that `accept` lets through is returned. Connection errors, 5xx and 429 are tried again, as often
        as the options say, after a wait that the server named (capped) or that grows with jitter.
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._options.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_Transient),
            sleep=self._options.sleep,
            reraise=True,
        )
        return self._plainly(what, lambda: retrying(self._once, method, path, accept, body))

    def command(self, *, what: str, path: str, method: str, accept: Accept, **body: Any) -> Answer:
        """Ask for something that changes the world: once, whatever happens."""
        return self._plainly(what, lambda: self._once(method, path, accept, body), unsure=True)

    def _plainly(self, what: str, ask: Callable[[], Answer], *, unsure: bool = False) -> Answer:
        """Run `ask`; its failure becomes the public error, raised where no request is left in the context."""
        try:
            return ask()
        except _Unusable as error:
            mend = UNSURE if unsure and isinstance(error, _Transient) else error.mend
            failure = self.failure(what=what, cause=error.cause, mend=mend)
        raise failure

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Transient) and error.after is not None:
            return min(error.after, self._options.max_wait_seconds)
        return wait_random_exponential(multiplier=1, max=self._options.max_wait_seconds)(state)

    def _once(self, method: str, path: str, accept: Accept, body: Mapping[str, Any]) -> Answer:
        """One attempt. httpx's own errors hold the request with its credentials, so none is left as a context."""
        try:
            with self._turn:
                deadline = self._options.monotonic() + self._options.total_seconds
                with self._client.stream(method, self.endpoint.url.rstrip("/") + path, **body) as response:
                    answer = self._take_in(response, deadline)
        except httpx.HTTPError as error:
            failure: _Unusable = _Transient(_cause(error, self._options), NO_ANSWER)
        except httpx.InvalidURL:  # made from a link that the site gave us
            failure = _Unusable("a link of the site is no address", WRONG_ADDRESS)
        else:
            if accept(answer):
                return answer
            failure = _status_failure(answer)
        raise failure

    def _take_in(self, response: httpx.Response, deadline: float) -> Answer:
        """Read the body up to the cap and the deadline, and see that it is whole."""
        taken: list[bytes] = []
        wire: list[bytes] = []
        size = 0
        for part in _decoded(response, wire=wire, limit=self._options.max_bytes + 1):
            size += len(part)
            if size > self._options.max_bytes:
                cause = f"the answer is larger than {self._options.max_bytes} bytes"
                raise _Unusable(cause, "lower the site's batch_machines, or see whether this is the right server")
            if self._options.monotonic() > deadline:
                raise _Transient(f"no whole answer within {self._options.total_seconds:g} s", NO_ANSWER)
            taken.append(part)
        headers = response.headers
        declared = headers.get("content-length")
        if declared is not None and declared != str(response.num_bytes_downloaded):
            raise _Transient("the answer was cut short", NO_ANSWER)
        delimited = declared is not None or "transfer-encoding" in headers or "content-encoding" in headers
        raw = Raw(content=b"".join(taken), gzipped=b"".join(wire))
        return Answer(status=response.status_code, raw=raw, headers=headers, delimited=delimited)


def flat(text: str, limit: int = 200) -> str:
    """A foreign text as part of one line: no control characters, no runs of blanks, not long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[:limit] + "…"


def _trusted() -> ssl.SSLContext:
    """The machine's own certificate authorities, where a private one may be installed, beside those of httpx."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _decoded(response: httpx.Response, *, wire: list[bytes], limit: int) -> Iterator[bytes]:
    """The body in parts, unzipped here so that a zip bomb stops at the limit and a cut stream is noticed.

    What was unzipped goes to `wire` as it came.
    """
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        yield from response.iter_raw()
        return
    if encoding != "gzip":
        raise _Unusable(f"the answer is encoded as {flat(encoding)}, which was not asked for", NO_ANSWER)
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for part in response.iter_raw():
        try:
            yield unzip.decompress(part, limit)
            wire.append(part)
        except zlib.error:
            raise _Transient("the compressed answer is damaged", NO_ANSWER) from None
    if not unzip.eof or unzip.unused_data:
        raise _Transient("the compressed answer was cut short", NO_ANSWER)


def _cause(error: httpx.HTTPError, options: HttpOptions) -> str:
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {options.connect_seconds:g} s"
        case httpx.TimeoutException():
            return f"no answer within {options.read_seconds:g} s"
        case httpx.ConnectError():
            return f"no connection ({error})"
        case _:
            return f"the connection broke ({error})"


def _status_failure(answer: Answer) -> _Unusable:
    """What a status means to the person who reads the error."""
    status = answer.status
    if status == 429 or status >= 500:
        text = f": {answer.body[:300].decode(errors='replace')}" if answer.body else ""
        return _Transient(f"HTTP {status}{text}", NO_ANSWER, _retry_after(answer.headers))
    if status in (401, 403):
        return _Unusable(
            f"the credentials were refused (HTTP {status})", "check {prefix}_USERNAME and {prefix}_PASSWORD"
        )
    if 300 <= status < 400:
        return _Unusable(f"a redirect to elsewhere (HTTP {status}) was not followed", WRONG_ADDRESS)
    text = answer.body[:300].decode(errors="replace")
    return _Unusable(f"HTTP {status}: {text}", WRONG_ADDRESS)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait as the server asks: a number, or a date read against the server's own `Date` (RFC 9110)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        wait = (parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError):  # neither form: wait as if nothing had been said
        return None
    return max(0.0, wait)
