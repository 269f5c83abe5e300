"""Amounts, days and months as the reader of a letter writes them.

Belongs here: formats by language, and text from outside as one harmless line. Does not belong here: words.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import NumberPattern, parse_pattern

from albacore_pipeline.money import MINOR_UNITS

LOCALES = {"en": "en_GB"}  # where the language alone would mean another country's formats
NO_BREAK = "\N{NO-BREAK SPACE}"


def line(text: str) -> str:
    """Text from outside on one line: without line breaks, control characters, and marks that turn the writing around.

    So it can begin neither a header nor a paragraph of its own.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())


@functools.cache
def _locale(language: str) -> Locale:
    return Locale.parse(LOCALES.get(language, language))


@functools.cache
def _pattern(places: int) -> NumberPattern:
    return parse_pattern("#,##0" + ("." + "0" * places if places else ""))


@functools.lru_cache(maxsize=4096)  # thousands of letters share a few days
def _day(language: str, day: date) -> str:
    return format_date(day, format="long", locale=_locale(language))


@functools.lru_cache(maxsize=4096)
def _month(language: str, month: date) -> str:
    return format_skeleton("yMMMM", month, locale=_locale(language))


@functools.lru_cache(maxsize=4096)  # a letter says an amount several times, and so does its owner's mail
def _amount(language: str, amount: Decimal, currency: str) -> str:
    locale = _locale(language)
    places = MINOR_UNITS[currency] if amount == amount.to_integral_value() else 2
    number = _pattern(places).apply(amount, locale)
    code_first = locale.currency_formats["standard"].pattern.startswith("\N{CURRENCY SIGN}")
    return f"{currency}{NO_BREAK}{number}" if code_first else f"{number}{NO_BREAK}{currency}"


@dataclass(frozen=True)
class Formats:
    """The formats of a language, by its code of ISO 639-1."""

    language: str

    def amount(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency's code, which, unlike kr or $, means one currency; on the side where it is usual.

        To the minor unit; tax may have two decimals more.
        """
        return _amount(self.language, amount, currency)

    def day(self, day: date) -> str:
        """As `1 December 2025`."""
        return _day(self.language, day)

    def month(self, month: date) -> str:
        """As `October 2025`."""
        return _month(self.language, month)
