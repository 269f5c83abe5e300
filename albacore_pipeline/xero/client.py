"""Xero's accounting API, through the official client, hardened.

The client (xero-python, pinned exactly) would by itself re-send a PUT whose answer was lost, sleep through rate limits,
wait without a deadline, fail on parsing an answer to a write that worked, and never renew a token. So here: no retries
beneath us, deadlines on each call, answers as plain JSON with Decimals, and a token that is minted again in time.
Source of the calls: Xero's OpenAPI document, accounting, version 16.1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

import httpx
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import ApiException

from albacore_pipeline.periods import Clock
from albacore_pipeline.settings import Settings, SettingsError
from albacore_pipeline.tls import trusted
from albacore_pipeline.xero import decode, encode, paging
from albacore_pipeline.xero.interface import (
    BATCH,
    READ_BATCH,
    Allocation,
    AnswerLost,
    Attachment,
    Contact,
    ContactDetails,
    CreditNote,
    Document,
    DraftDocument,
    Invoice,
    Kind,
    NothingSent,
    Read,
    Reading,
    Refused,
    Status,
    Unapplied,
    UnappliedKind,
    Written,
    XeroError,
)

DEADLINES = (5, 60)  # seconds to connect, to read
SCOPES = (
    "accounting.invoices accounting.payments.read accounting.contacts accounting.settings.read accounting.attachments"
)
LONGEST_WAIT = timedelta(hours=24)
FILTERED = 40  # ids in a filter: what an address holds
PAGE = 1000  # elements a page at most
PRECISE = {"unitdp": 4}  # with every call about documents, or unit prices are cut to two decimals

Json = dict[str, Any]
T = TypeVar("T")


@dataclass
class _Token:
    value: str = ""
    renew_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Answer:
    content: object  # JSON, numbers as Decimal
    dated: datetime | None


@dataclass(kw_only=True)
class Xero:
    """A connection to one organisation, an `Organisation` of the interface. Made by `connect`."""

    api: AccountingApi
    tenant_id: str

    def write_contacts(self, contacts: Sequence[ContactDetails], *, key: str) -> list[Written[Contact]]:
        """POST, which creates or updates by number."""
        body = encode.contacts(contacts)
        return decode.contacts(self._write(self.api.update_or_create_contacts, body, key=key))

    def create_invoices(self, drafts: Sequence[DraftDocument], *, key: str) -> list[Written[Document]]:
        """PUT, which creates only: a repeated number is refused and never overwritten."""
        return self._create(self.api.create_invoices, drafts, Kind.INVOICE, key=key)

    def create_credit_notes(self, drafts: Sequence[DraftDocument], *, key: str) -> list[Written[Document]]:
        """PUT."""
        return self._create(self.api.create_credit_notes, drafts, Kind.CREDIT_NOTE, key=key)

    def approve_invoices(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        """POST, which changes what the ids name."""
        body = encode.approvals(ids, Kind.INVOICE)
        return self._change(self.api.update_or_create_invoices, body, Kind.INVOICE, key=key)

    def approve_credit_notes(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        """POST, which changes what the ids name."""
        body = encode.approvals(ids, Kind.CREDIT_NOTE)
        return self._change(self.api.update_or_create_credit_notes, body, Kind.CREDIT_NOTE, key=key)

    def mark_sent(self, ids: Sequence[str], *, key: str) -> list[Written[Status]]:
        """POST, which changes what the ids name."""
        return self._change(self.api.update_or_create_invoices, encode.sent_marks(ids), Kind.INVOICE, key=key)

    def attach(self, attachment: Attachment, *, key: str) -> list[Written[str]]:
        """PUT; the same name again replaces the file."""
        target = (attachment.invoice_id, attachment.name)
        call = self.api.create_invoice_attachment_by_file_name
        return decode.attached(self._call(call, *target, attachment.content, idempotency_key=key))

    def allocate(self, allocation: Allocation, *, key: str) -> list[Written[Decimal]]:
        """PUT, which allocates once more each time."""
        call, body = self.api.create_credit_note_allocation, encode.allocation(allocation)
        return decode.allocations(self._write(call, allocation.credit_note_id, body, key=key))

    def invoices_by_number(self, numbers: Sequence[str]) -> list[Read[Document]]:
        """GET, without pages: heads only."""
        return [
            found
            for part in _parts(numbers, BATCH)
            for found in decode.invoice_heads(self._read(self.api.get_invoices, invoice_numbers=part))
        ]

    def invoices_by_id(self, ids: Sequence[str]) -> Reading[Read[Invoice]]:
        """GET by pages, which shows all of a document; a part fits on its first."""
        answers = [self._dated(self.api.get_invoices, i_ds=part, page=1) for part in _parts(ids, READ_BATCH)]
        return _reading([decode.invoices(answer.content) for answer in answers], answers)

    def credit_notes_by_id(self, ids: Sequence[str]) -> Reading[Read[CreditNote]]:
        """GET by pages with a filter; a part fits on its first."""
        answers = [
            self._dated(self.api.get_credit_notes, where=encode.id_is_one_of(part), page=1)
            for part in _parts(ids, FILTERED)
        ]
        return _reading([decode.credit_notes_by_id(answer.content) for answer in answers], answers)

    def unapplied(self) -> Reading[Unapplied]:
        """GET by pages, each kind of its own."""
        calls = {
            UnappliedKind.OVERPAYMENT: self.api.get_overpayments,
            UnappliedKind.PREPAYMENT: self.api.get_prepayments,
            UnappliedKind.CREDIT_NOTE: self.api.get_credit_notes,
        }
        answers: list[_Answer] = []

        def page(kind: UnappliedKind, number: int) -> paging.Page[Unapplied | None]:
            answers.append(self._dated(calls[kind], where=encode.is_open(), page=number, page_size=PAGE))
            return decode.unapplied(answers[-1].content, kind)

        listed = [paging.whole(partial(page, kind), size=PAGE) for kind in calls]
        return _reading([[each for each in part if each] for part in listed], answers)

    def credit_note(self, number: str) -> Read[CreditNote] | None:
        """GET with a filter."""
        found = decode.credit_notes(self._read(self.api.get_credit_notes, where=encode.number_is(number)))
        return found[0] if found else None

    def attachments(self, invoice_id: str) -> list[str]:
        """GET."""
        return decode.file_names(self._call(self.api.get_invoice_attachments, invoice_id))

    def online_invoice_url(self, invoice_id: str) -> str:
        """GET."""
        return decode.online_invoice_url(self._call(self.api.get_online_invoice, invoice_id))

    def reminders_enabled(self) -> bool:
        """GET."""
        return decode.reminders_enabled(self._call(self.api.get_invoice_reminders))

    def _create(
        self, call: Callable[..., Any], drafts: Sequence[DraftDocument], kind: Kind, *, key: str
    ) -> list[Written[Document]]:
        return decode.drafts(self._write(call, encode.drafts(drafts, kind), key=key, **PRECISE), kind)

    def _change(self, call: Callable[..., Any], body: Json, kind: Kind, *, key: str) -> list[Written[Status]]:
        return decode.statuses(self._write(call, body, key=key, **PRECISE), kind)

    def _read(self, call: Callable[..., Any], **options: Any) -> object:
        return self._dated(call, **options).content

    def _dated(self, call: Callable[..., Any], **options: Any) -> _Answer:
        return self._answer(call, **options, **PRECISE)

    def _write(self, call: Callable[..., Any], *arguments: Any, key: str, **options: Any) -> object:
        """Each element by itself: one that Xero rejects keeps back no other."""
        return self._call(call, *arguments, summarize_errors="false", idempotency_key=key, **options)

    def _call(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> object:
        return self._answer(call, *arguments, **options).content

    def _answer(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> _Answer:
        try:
            answer = call(self.tenant_id, *arguments, **options, _preload_content=False, _request_timeout=DEADLINES)
            content = json.loads(answer.data, parse_float=Decimal, parse_int=Decimal)
            return _Answer(content=content, dated=_date(answer.headers.get("Date")))
        except ApiException as error:
            raise _as_error(error) from None
        except MaxRetryError as error:
            if isinstance(error.reason, NewConnectionError | ConnectTimeoutError):
                raise NothingSent("Xero can't be reached; check XERO_API_URL and the network") from None
            raise AnswerLost(f"connection to Xero lost: {type(error.reason).__name__}") from None
        except (HTTPError, OSError) as error:
            raise AnswerLost(f"connection to Xero lost: {type(error).__name__}") from None
        except ValueError:
            raise AnswerLost("Xero's answer is not JSON") from None


def connect(*, settings: Settings, clock: Clock) -> Xero:
    """Open the connection and prove that it leads to the right organisation.

    Raises SettingsError that names the variable, or NothingSent where Xero can't be reached.
    """
    if not settings.xero_client_id:
        raise SettingsError("XERO_CLIENT_ID is not set: enter the custom connection's client id and secret")
    reach = xero_reach(settings)
    token = _Token()
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token()), oauth2_token_getter=lambda: _mint(token, reach, clock)
    )
    client.rest_client.pool_manager = urllib3.PoolManager(
        retries=urllib3.Retry(total=0, connect=0, read=0, redirect=0, status=0, respect_retry_after_header=False),
        cert_reqs="CERT_REQUIRED",
    )
    xero = Xero(api=AccountingApi(client, base_url=reach.api_url), tenant_id=_tenant(token, reach, clock))
    if settings.effects == "live" and xero.tenant_id != reach.tenant_id:
        raise SettingsError(
            f"ALBACORE_XERO_TENANT_ID is not the organisation that Xero reports ({xero.tenant_id}): nothing is sent"
        )
    return xero


@dataclass(frozen=True, kw_only=True)
class XeroReach:
    """Where Xero is, and as whom we come."""

    api_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    tenant_id: str

    @property
    def connections_url(self) -> str:
        """Where Xero says which organisation the connection belongs to."""
        return self.api_url.removesuffix("/").removesuffix("/api.xro/2.0") + "/connections"


def xero_reach(settings: Settings) -> XeroReach:
    """Where the settings say that Xero is."""
    return XeroReach(
        api_url=settings.xero_api_url,
        token_url=settings.xero_token_url,
        client_id=settings.xero_client_id,
        client_secret=settings.xero_client_secret.get_secret_value(),
        tenant_id=settings.xero_tenant_id,
    )


def _mint(token: _Token, reach: XeroReach, clock: Clock) -> Json:
    now = clock.now().timestamp()
    if now >= token.renew_at:
        content = _plain_call(
            "POST",
            reach.token_url,
            auth=(reach.client_id, reach.client_secret),
            data={"grant_type": "client_credentials", "scope": SCOPES},
        )
        token.value, seconds = decode.token(content)
        token.renew_at = now + seconds - 120
    # the client judges the expiry by the machine's time, we by the clock's: hand it one that always holds
    return {
        "access_token": token.value,
        "scope": SCOPES,
        "expires_in": 1800,
        "token_type": "Bearer",
        "expires_at": time.time() + 1800,
    }


def _tenant(token: _Token, reach: XeroReach, clock: Clock) -> str:
    bearer = _mint(token, reach, clock)["access_token"]
    connections = _plain_call("GET", reach.connections_url, headers={"Authorization": f"Bearer {bearer}"})
    tenants = decode.tenant_ids(connections)
    if len(tenants) != 1:
        raise SettingsError(f"XERO_CLIENT_ID leads to {len(tenants)} organisations: a custom connection has one")
    return tenants[0]


def _plain_call(method: str, url: str, **options: Any) -> object:
    try:
        answer = httpx.request(
            method,
            url,
            timeout=httpx.Timeout(60, connect=5),
            follow_redirects=False,
            trust_env=False,
            verify=trusted(),
            **options,
        )
    except httpx.HTTPError as error:
        raise NothingSent(
            f"Xero can't be reached ({type(error).__name__}); check XERO_TOKEN_URL and the network"
        ) from None
    if answer.status_code == 429 or answer.status_code >= 500:
        raise NothingSent(f"Xero answered {answer.status_code}", _seconds(answer.headers.get("Retry-After")))
    if answer.status_code != 200:
        raise SettingsError(
            f"Xero refused the connection ({answer.status_code}): check XERO_CLIENT_ID and XERO_CLIENT_SECRET"
        )
    try:
        return answer.json()
    except ValueError:
        raise NothingSent("Xero's answer is not JSON; check XERO_TOKEN_URL and XERO_API_URL") from None


def _as_error(error: ApiException) -> XeroError:
    """What an HTTP error of Xero's means for an effect."""
    response = getattr(error, "http_resp", None)
    status = int(getattr(response, "status", 0) or getattr(error, "status", 0) or 0)
    headers: Mapping[str, str] = response.urllib3_response.headers if response is not None else {}
    if status == 429:
        return NothingSent(
            f"Xero's rate limit ({headers.get('X-Rate-Limit-Problem', 'unnamed')})",
            _seconds(headers.get("Retry-After")),
        )
    if status in (401, 403):
        return NothingSent(f"Xero answered {status}: check the connection's scopes")
    if status >= 500 or status == 0:
        return AnswerLost(f"Xero answered {status}")
    return Refused(decode.refusal(getattr(response, "data", b"")), status)


def _seconds(value: str | None) -> timedelta | None:
    return min(timedelta(seconds=int(value)), LONGEST_WAIT) if value and value.isdigit() else None


def _date(header: str | None) -> datetime | None:
    """The instant of an HTTP `Date`; None where there is none that can be read, or one without a zone."""
    try:
        instant = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def _reading(parts: Sequence[Sequence[T]], answers: Sequence[_Answer]) -> Reading[T]:
    elements = tuple(element for part in parts for element in part)
    return Reading(elements=elements, dated=answers[-1].dated if answers else None)


def _parts(items: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
