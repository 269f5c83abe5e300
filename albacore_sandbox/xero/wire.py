"""Xero's forms on the wire: dates, numbers, envelopes, errors.

Belongs here: what is the same for every document.
Does not belong here: the documents.
Source: Xero's accounting API (OpenAPI description and request/response guide).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from albacore_sandbox.store import Document

ZERO = Decimal(0)
NO_ID = "00000000-0000-0000-0000-000000000000"
_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


class Invalid(Exception):
    """A document that Xero does not take; one or more messages."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class NotFound(Exception):
    """There is no such resource."""


@dataclass(frozen=True)
class Answer:
    """What goes back: a status and a JSON value, or bytes of some media type."""

    status: int = 200
    body: Any = field(default_factory=dict)
    media_type: str = "application/json"


def envelope(now: float, **content: Any) -> Document:
    """The frame around every successful answer."""
    head = {"Id": str(uuid.uuid4()), "Status": "OK", "ProviderName": "Sandbox", "DateTimeUTC": ms_date(now)}
    return head | content


def refusal(elements: Sequence[Document]) -> Answer:
    """The 400 for documents of which at least one is invalid."""
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": list(elements),
    }
    return Answer(400, body)


def ms_date(seconds: float) -> str:
    """An instant as `/Date(ms+0000)/`."""
    return f"/Date({int(seconds * 1000)}+0000)/"


def day_ms_date(day: str) -> str:
    """A day, ISO, as `/Date(ms+0000)/` of its midnight in UTC."""
    return ms_date(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def day_string(day: str) -> str:
    """A day, ISO, as Xero's `DateString`."""
    return f"{day}T00:00:00"


def to_day(value: Any, *, name: str) -> str | None:
    """A day, ISO, from any form that Xero takes. Raises Invalid."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        if found := _MS_DATE.fullmatch(value):
            return datetime.fromtimestamp(int(found[1]) / 1000, UTC).date().isoformat()
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            raise Invalid(f"{name}: {value!r} is not a valid date") from None
    raise Invalid(f"{name}: {value!r} is not a valid date")


def to_instant(text: str) -> float:
    """Seconds since the epoch of an If-Modified-Since header: ISO 8601 or an HTTP date; without offset UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = parsedate_to_datetime(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def to_decimal(value: Any, *, name: str) -> Decimal | None:
    """A number. Raises Invalid for anything else."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(value) if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Invalid(f"{name}: {value!r} is not a valid number")
    return number


def rounded(value: Decimal, places: int = 2) -> Decimal:
    """Rounded half-up."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def is_true(text: str | None, *, default: bool) -> bool:
    """A boolean parameter; Xero takes any case."""
    return default if text is None else text.strip().lower() == "true"


def is_id(text: str) -> bool:
    """Whether a text has the form of Xero's ids."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
