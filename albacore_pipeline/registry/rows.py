"""What a row of each registry file may say. Field names are the files' column names.

Belongs here: the meaning and the limits of a cell, and what must hold within a row. Each message says the mend.
Does not belong here: what must hold between rows (`relations.py`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeGuard

import holidays
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from albacore_pipeline.mailboxes import check_mailbox
from albacore_pipeline.money import MINOR_UNITS
from albacore_pipeline.registry.glyphs import unprintable
from albacore_pipeline.sites import SITES

FOREVER = date(9999, 12, 31)  # an empty to_day, in Python; PostgreSQL holds 'infinity'
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
LONGEST_TEXT = 500

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def wrong(column: str, message: str) -> PydanticCustomError:
    """What a row's own check raises: it names the column."""
    return PydanticCustomError("row", "{message}", {"column": column, "message": message})


def _shown(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else f"a value of type {type(value).__name__}"


def _one_of(known: Iterable[str], what: str) -> Callable[[object], str]:
    names = tuple(known)

    def check(value: object) -> str:
        if value not in names:
            raise ValueError(f"{_shown(value)} is no {what}: one of {', '.join(names)}")
        return str(value)

    return check


def _or_empty(check: Callable[[object], str]) -> PlainValidator:
    return PlainValidator(lambda value: check(value) if value else "")


def is_identifier(value: object) -> TypeGuard[str]:
    """Whether a value may name a customer, a machine, a tariff and the like."""
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def _identifier(value: object) -> str:
    if not is_identifier(value):
        raise ValueError(
            f"{_shown(value)} is no name: up to 40 letters, digits, '.', '-' and '_', a letter or digit first"
        )
    return value


@functools.cache
def _countries() -> frozenset[str]:
    return frozenset(code for code in holidays.list_supported_countries() if len(code) == 2)


def _country(value: object) -> str:
    if value not in _countries():
        raise ValueError(
            f"{_shown(value)} is no country whose public holidays are known: write its ISO 3166 code, as NO"
        )
    return str(value)


def _language(value: object) -> str:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise ValueError(f"{_shown(value)} is no language: write its ISO 639 code, as en")
    return value


STORED = {"stored": True}  # the context in which rows are read that an older program took


def _mailbox_or_stored(value: object, info: ValidationInfo) -> str:
    return value if isinstance(value, str) and info.context == STORED else _mailbox(value)


def _mailbox(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is no mail address: write one, as name@example.com")
    try:
        return check_mailbox(value)
    except ValueError as error:
        raise ValueError(f"{_shown(value)} is no mail address: {error}; write one, as name@example.com") from None


def _printable(value: object) -> str:
    """Text of several lines that the statement's fonts can print."""
    text = str(value)
    if control := _CONTROL.search(text):
        raise ValueError(f"holds the control character U+{ord(control[0]):04X}: take it out")
    if lacking := unprintable(text.replace("\t", "")):
        shown = " ".join(f"{character!r} (U+{ord(character):04X})" for character in lacking[:10])
        raise ValueError(f"holds what the statement's fonts can not print: {shown}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has {len(text)} characters: at most {LONGEST_TEXT}")
    return text


def _line(value: object) -> str:
    """Printable text of one line."""
    text = _printable(value)
    if "\n" in text or "\t" in text:
        raise ValueError("has a line break or a tab in it: write it on one line")
    return text


@functools.lru_cache(maxsize=50_000)  # a registry has many rows and few days
def _iso_day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return _iso_day(str(value))
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a day: write it as 2025-10-01") from None


def _number(value: object) -> object:
    """Numbers in files are written as in English, without separators of thousands."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(f"{_shown(value)} is not a finite number: write it as 1234.5, without separators of thousands")
    return value


def _hour_start(value: object) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{_shown(value)} is not an instant: write it as 2025-10-01T13:00+02:00") from None
    if at.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no offset: write it as 2025-10-01T13:00+02:00")
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{_shown(value)} is out of the calendar") from None
    if at.minute or at.second or at.microsecond:
        raise ValueError(
            f"{_shown(value)} is not a full hour: prices are hourly; of a 15-minute market, give the hour's average"
        )
    return at


def _weekday(word: str) -> int:
    if word.title() in WEEKDAYS:
        return WEEKDAYS.index(word.title()) + 1
    if word in {str(day) for day in EVERY_DAY}:
        return int(word)
    raise ValueError(f"{word!r} is no weekday: write Mon-Fri, Sat Sun, or 1-5 and 6,7 where Monday is 1")


def _weekdays(value: object) -> tuple[int, ...]:
    text = value if isinstance(value, str) else ",".join(map(str, value)) if isinstance(value, Iterable) else str(value)
    days: set[int] = set()
    for part in re.split(r"[\s,]+", re.sub(r"\s*-\s*", "-", text.strip())):
        first, dash, last = part.partition("-")
        start = _weekday(first)
        end = _weekday(last) if dash else start
        days |= {(start - 1 + step) % 7 + 1 for step in range((end - start) % 7 + 1)}  # Fri-Mon goes over Sunday
    return tuple(sorted(days))


_known_site = _one_of(SITES, "site")
Identifier = Annotated[str, PlainValidator(_identifier)]
Text = Annotated[str, PlainValidator(_printable)]
Line = Annotated[str, PlainValidator(_line)]
SiteName = Annotated[str, PlainValidator(_known_site)]
Currency = Annotated[str, PlainValidator(_one_of(MINOR_UNITS, "currency that is known here"))]
Day = Annotated[date, BeforeValidator(_day)]
OpenDay = Annotated[date, BeforeValidator(lambda value: _day(value) if value else FOREVER)]
Mailbox = Annotated[str, PlainValidator(_mailbox_or_stored)]
Number = Annotated[Decimal, Field(allow_inf_nan=False, decimal_places=10), BeforeValidator(_number)]
Amount = Annotated[Number, Field(ge=0, lt=Decimal(10) ** 9)]
WholeWh = Annotated[
    Decimal, Field(ge=0, lt=Decimal(10) ** 9, allow_inf_nan=False, decimal_places=3), BeforeValidator(_number)
]
Hour = Annotated[int, Field(ge=0, le=24)]


class RegistryRow(BaseModel):
    """A row: every column of the file is a field; an empty cell counts as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(RegistryRow):
    """A row that holds from a day to a day, both included."""

    from_day: Day
    to_day: OpenDay = FOREVER

    @model_validator(mode="after")
    def _in_order(self) -> Dated:
        if self.to_day < self.from_day:
            raise wrong("to_day", f"to_day {self.to_day} lies before from_day {self.from_day}")
        return self


class Customer(RegistryRow):
    """Whom we bill: one currency, one legal entity of ours."""

    customer: Identifier
    name: Line
    legal_name: Line
    address: Text
    vat_number: Line = ""
    email: Mailbox
    country: Annotated[str, PlainValidator(_country)]
    language: Annotated[str, PlainValidator(_language)] = "en"
    currency: Currency
    entity: Identifier
    payment_terms_days: Annotated[int, Field(ge=0, le=365)]
    tax_type: Identifier
    account_manager: Mailbox
    policy: Identifier = "default"


class Entity(RegistryRow):
    """A legal entity of ours that bills, as its documents name it."""

    entity: Identifier
    legal_name: Line
    address: Text
    vat_number: Line = ""
    email: Annotated[str, _or_empty(_mailbox)] = ""


class Assignment(Dated):
    """Which customer a machine belongs to, on site days."""

    site: SiteName
    machine: Identifier
    customer: Identifier
    state: Literal["billable", "repair", "free"] = "billable"


class Tariff(Dated):
    """A price; an empty customer or site means every one, the most specific wins.

    `unit_price` is that of a kWh where no band says otherwise; of an indexed tariff, what is added to the hour's price.
    """

    tariff: Identifier
    customer: Annotated[str, _or_empty(_identifier)] = ""
    site: Annotated[str, _or_empty(_known_site)] = ""
    kind: Literal["flat", "tiered", "time_of_use", "indexed"]
    currency: Currency
    unit_price: Amount | None = None
    multiplier: Annotated[Number, Field(gt=0, le=10)] = Decimal(1)
    fee_per_machine_day: Amount = Decimal(0)
    minimum_per_month: Amount = Decimal(0)
    index: Annotated[str, _or_empty(_identifier)] = ""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Tariff:
        if self.unit_price is None and self.kind == "flat":
            raise wrong("unit_price", "is empty: a flat tariff has one price")
        if self.unit_price is None and self.kind == "indexed":
            raise wrong("unit_price", "is empty: give what is added to the hour's price, 0 for nothing")
        if self.index and self.kind != "indexed":
            raise wrong("index", f"a tariff that is {self.kind} has no index: leave it empty")
        return self

    @property
    def series(self) -> str:
        """The series in prices.csv that an indexed tariff goes by; empty for the others."""
        return (self.index or self.tariff) if self.kind == "indexed" else ""


class TariffBand(RegistryRow):
    """Where the tariffs of a name cost something else: from some kWh on (tiered), or in hours of the week."""

    tariff: Identifier
    from_kwh: WholeWh = Decimal(0)
    weekdays: Annotated[tuple[int, ...], PlainValidator(_weekdays)] = EVERY_DAY
    from_hour: Hour = 0
    to_hour: Hour = 24
    unit_price: Amount

    @property
    def first_hour(self) -> int:
        """From 0 to 23."""
        return self.from_hour % 24

    @property
    def last_hour(self) -> int:
        """From 1 to 24, half-open; not after the first one: over midnight."""
        return self.to_hour or 24

    def hours_of_week(self) -> set[int]:
        """The hours that it covers, 0 to 167 from Monday's midnight on; each is judged by its own weekday."""
        first, last = self.first_hour, self.last_hour
        hours = range(first, last) if first < last else [*range(last), *range(first, 24)]
        return {(day - 1) * 24 + hour for day in self.weekdays for hour in hours}


class Price(RegistryRow):
    """A kWh's price in an hour, by a series; it may be negative."""

    index: Identifier
    hour_start: Annotated[datetime, PlainValidator(_hour_start)]
    currency: Currency
    price_per_kwh: Annotated[Number, Field(gt=-(Decimal(10) ** 9), lt=Decimal(10) ** 9)]


class MachineRating(RegistryRow):
    """What we know better about a machine than its site says."""

    site: SiteName
    machine: Identifier
    rated_watts: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    serial: Line = ""
    model: Line = ""
