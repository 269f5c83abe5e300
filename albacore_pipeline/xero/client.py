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
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

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

DEADLINES = (5, 60)  # seconds to connect, to read
BATCH = 50  # documents a call, as Xero recommends
SCOPES = (
    "accounting.invoices accounting.payments.read accounting.contacts accounting.settings.read accounting.attachments"
)
LONGEST_WAIT = timedelta(hours=24)

Json = dict[str, Any]


class XeroError(Exception):
    """Something between us and Xero; the message never holds a token or a secret."""


class NothingSent(XeroError):
    """The call did not reach Xero, or Xero certainly did nothing; `after` is how long Xero asks us to wait."""

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class AnswerLost(XeroError):
    """The call may have worked: look it up before anything else."""


class Refused(XeroError):
    """Xero read the call and said no; `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class _Token:
    value: str = ""
    renew_at: float = 0.0


@dataclass(kw_only=True)
class Xero:
    """A connection to one organisation. Made by `connect`; plain JSON in and out, money as Decimal."""

    api: AccountingApi
    tenant_id: str

    def put_contacts(self, contacts: Sequence[Json], *, key: str) -> list[Json]:
        """Create or update contacts by ContactNumber; one element each, with `HasValidationErrors`."""
        return self._many(
            "Contacts",
            self.api.update_or_create_contacts,
            {"Contacts": list(contacts)},
            summarize_errors="false",
            idempotency_key=key,
        )

    def contact(self, number: str) -> Json | None:
        """The contact with this ContactNumber, if there is one."""
        found = self._many("Contacts", self.api.get_contacts, where=f'ContactNumber=="{number}"')
        return found[0] if found else None

    def create_invoices(self, invoices: Sequence[Json], *, key: str) -> list[Json]:
        """PUT: creates only, so a repeated number is refused and never overwritten; one element each."""
        return self._many(
            "Invoices",
            self.api.create_invoices,
            {"Invoices": list(invoices)},
            summarize_errors="false",
            unitdp=4,
            idempotency_key=key,
        )

    def update_invoices(self, invoices: Sequence[Json], *, key: str) -> list[Json]:
        """POST: changes the invoices that the InvoiceIDs name; one element each."""
        return self._many(
            "Invoices",
            self.api.update_or_create_invoices,
            {"Invoices": list(invoices)},
            summarize_errors="false",
            unitdp=4,
            idempotency_key=key,
        )

    def invoices_by_number(self, numbers: Sequence[str]) -> list[Json]:
        """The invoices with these numbers, those that there are."""
        return [
            found
            for part in _parts(numbers)
            for found in self._many("Invoices", self.api.get_invoices, invoice_numbers=part, unitdp=4)
        ]

    def invoices_by_id(self, ids: Sequence[str]) -> list[Json]:
        """The invoices with these ids, as they stand now."""
        return [
            found
            for part in _parts(ids)
            for found in self._many("Invoices", self.api.get_invoices, i_ds=part, unitdp=4, page=1)
        ]

    def online_invoice_url(self, invoice_id: str) -> str:
        """Where the customer sees and pays the invoice; empty while Xero has none."""
        return str(self._one("OnlineInvoices", self.api.get_online_invoice, invoice_id).get("OnlineInvoiceUrl") or "")

    def create_credit_notes(self, notes: Sequence[Json], *, key: str) -> list[Json]:
        """PUT credit notes; one element each."""
        return self._many(
            "CreditNotes",
            self.api.create_credit_notes,
            {"CreditNotes": list(notes)},
            summarize_errors="false",
            unitdp=4,
            idempotency_key=key,
        )

    def update_credit_notes(self, notes: Sequence[Json], *, key: str) -> list[Json]:
        """POST: changes the notes that the CreditNoteIDs name; one element each."""
        return self._many(
            "CreditNotes",
            self.api.update_or_create_credit_notes,
            {"CreditNotes": list(notes)},
            summarize_errors="false",
            unitdp=4,
            idempotency_key=key,
        )

    def credit_note(self, number: str) -> Json | None:
        """The credit note with this number, if there is one."""
        found = self._many("CreditNotes", self.api.get_credit_notes, where=f'CreditNoteNumber=="{number}"', unitdp=4)
        return found[0] if found else None

    def allocate(self, *, credit_note_id: str, invoice_id: str, amount: Decimal, on: date, key: str) -> None:
        """Set a credit note against an invoice."""
        body = {
            "Allocations": [{"Invoice": {"InvoiceID": invoice_id}, "Amount": float(amount), "Date": on.isoformat()}]
        }
        self._call(self.api.create_credit_note_allocation, credit_note_id, body, idempotency_key=key)

    def attach(self, *, invoice_id: str, name: str, content: bytes, key: str) -> None:
        """Attach a file to an invoice; the same name again replaces it."""
        self._call(self.api.create_invoice_attachment_by_file_name, invoice_id, name, content, idempotency_key=key)

    def attachments(self, invoice_id: str) -> list[str]:
        """The names of an invoice's attachments."""
        return [found["FileName"] for found in self._many("Attachments", self.api.get_invoice_attachments, invoice_id)]

    def reminders_enabled(self) -> bool:
        """Whether Xero sends reminders of its own, which would double ours."""
        return bool(self._call(self.api.get_invoice_reminders).get("InvoiceReminders", [{}])[0].get("Enabled"))

    def _one(self, name: str, call: Callable[..., Any], *arguments: Any) -> Json:
        found = self._many(name, call, *arguments)
        if not found:
            raise Refused(f"Xero answered without {name}", 200)
        return found[0]

    def _many(self, name: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> list[Json]:
        content = self._call(call, *arguments, **options).get(name)
        if not isinstance(content, list):
            raise AnswerLost(f"Xero answered without {name}")
        return content

    def _call(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Json:
        try:
            answer = call(self.tenant_id, *arguments, **options, _preload_content=False, _request_timeout=DEADLINES)
            content = json.loads(answer.data, parse_float=Decimal, parse_int=Decimal)
        except ApiException as error:
            raise _told(error) from None
        except MaxRetryError as error:
            if isinstance(error.reason, NewConnectionError | ConnectTimeoutError):
                raise NothingSent("Xero can't be reached; check XERO_API_URL and the network") from None
            raise AnswerLost(f"connection to Xero lost: {type(error.reason).__name__}") from None
        except (HTTPError, OSError) as error:
            raise AnswerLost(f"connection to Xero lost: {type(error).__name__}") from None
        except ValueError:
            raise AnswerLost("Xero's answer is not JSON") from None
        if not isinstance(content, dict):
            raise AnswerLost("Xero's answer is not an object")
        return content


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
        token.value, token.renew_at = content["access_token"], now + float(content["expires_in"]) - 120
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
    if len(connections) != 1:
        raise SettingsError(f"XERO_CLIENT_ID leads to {len(connections)} organisations: a custom connection has one")
    return str(connections[0]["tenantId"])


def _plain_call(method: str, url: str, **options: Any) -> Any:
    try:
        answer = httpx.request(
            method, url, timeout=httpx.Timeout(60, connect=5), follow_redirects=False, trust_env=False, **options
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
    return answer.json()


def _told(error: ApiException) -> XeroError:
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
    return Refused(_words(response), status)


def _words(response: Any) -> str:
    """Xero's own words, shortened: text from outside, for people only."""
    try:
        content = json.loads(response.data)
    except (ValueError, AttributeError):
        return "Xero refused the call"
    elements = content.get("Elements") or [content]
    said = [words for element in elements for words in problems(element)]
    return "; ".join(said or [str(content.get("Message") or content.get("Detail") or "Xero refused the call")])[:500]


def problems(element: Json) -> list[str]:
    """The validation errors of one element of an answer."""
    return [str(error.get("Message") or error.get("Description")) for error in element.get("ValidationErrors") or []]


def _seconds(value: str | None) -> timedelta | None:
    return min(timedelta(seconds=int(value)), LONGEST_WAIT) if value and value.isdigit() else None


def _parts(items: Sequence[str]) -> Iterator[list[str]]:
    return (list(items[start : start + BATCH]) for start in range(0, len(items), BATCH))


def xero_date(value: str) -> date:
    """Xero's `/Date(1518685950940+0000)/`, milliseconds since the epoch in UTC, or an ISO date."""
    if value.startswith("/Date("):
        milliseconds = int(value.removeprefix("/Date(").split(")")[0].split("+")[0])
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).date()
    return date.fromisoformat(value[:10])
