"""What a row of each registry file may say. Field names are the files' column names."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from albacore_pipeline.sites import SITES

FOREVER = date(9999, 12, 31)  # an empty to_day, in Python; PostgreSQL holds 'infinity'
MINOR_UNITS = {
    "EUR": 2,
    "NOK": 2,
    "USD": 2,
    "GBP": 2,
    "SEK": 2,
    "DKK": 2,
    "ETB": 2,
    "IDR": 2,
    "JPY": 0,
    "ISK": 0,
    "KRW": 0,
}


def _known_site(value: str) -> str:
    if value and value not in SITES:
        raise ValueError(f"{value!r} is no site: one of {', '.join(SITES)}")
    return value


def _known_currency(value: str) -> str:
    if value not in MINOR_UNITS:
        raise ValueError(f"{value!r} is no currency that is known here: one of {', '.join(MINOR_UNITS)}")
    return value


def _iso_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day: write it as 2025-10-01") from None
    return value


Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
SiteName = Annotated[str, BeforeValidator(_known_site)]
Currency = Annotated[str, BeforeValidator(_known_currency)]
Day = Annotated[date, BeforeValidator(_iso_day)]
OpenDay = Annotated[date, BeforeValidator(lambda value: _iso_day(value) if value else FOREVER)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+$", max_length=254)]
Amount = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 9, allow_inf_nan=False, decimal_places=10)]


class Row(BaseModel):
    """A row: every column of the file is a field; an empty cell counts as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Dated(Row):
    """A row that holds from a day to a day, both included."""

    from_day: Day
    to_day: OpenDay = FOREVER

    @model_validator(mode="after")
    def _in_order(self) -> Dated:
        if self.to_day < self.from_day:
            raise ValueError(f"to_day {self.to_day} lies before from_day {self.from_day}")
        return self


class Customer(Row):
    """Whom we bill: one currency, one legal entity of ours."""

    customer: Identifier
    name: Text
    legal_name: Text
    address: Text
    vat_number: Annotated[str, StringConstraints(max_length=50)] = ""
    email: Mailbox
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"
    currency: Currency
    entity: Identifier
    payment_terms_days: Annotated[int, Field(ge=0, le=365)]
    tax_type: Identifier
    account_manager: Mailbox
    policy: Identifier = "default"


class Assignment(Dated):
    """Which customer a machine belongs to, on site days."""

    site: SiteName
    machine: Identifier
    customer: Identifier
    state: Literal["billable", "repair", "free"] = "billable"


class Tariff(Dated):
    """A price; an empty customer or site means every one, the most specific wins."""

    tariff: Identifier
    customer: Identifier | Literal[""] = ""
    site: SiteName = ""
    kind: Literal["flat"]
    currency: Currency
    unit_price: Amount
    multiplier: Annotated[Decimal, Field(gt=0, le=10, allow_inf_nan=False)] = Decimal(1)
    fee_per_machine_day: Amount = Decimal(0)
    minimum_per_month: Amount = Decimal(0)


class MachineRating(Row):
    """What we know better about a machine than its site says."""

    site: SiteName
    machine: Identifier
    rated_watts: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    serial: str = ""
    model: str = ""
