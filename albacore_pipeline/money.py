"""Currencies: their minor units, how an amount is rounded to them, and how it is written.

Belongs here: what is true of money everywhere. Does not belong here: prices, and what is owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

MINOR_UNITS: Mapping[str, int] = {
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
"""How many decimals an amount of each currency has that is known here."""


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half-up to the currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """An amount as a person reads it, without its currency: to the minor unit; tax may have two decimals more."""
    places = MINOR_UNITS[currency] if amount == amount.to_integral_value() else 2
    return f"{amount:,.{places}f}"
