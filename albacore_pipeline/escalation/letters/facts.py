"""What a letter may say: typed facts, all of them known before a word is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Because(StrEnum):
    """Why a pause that was announced is off, or why machines run again."""

    PAID = "paid"
    CREDITED = "credited"
    DISPUTED = "disputed"
    PROMISED = "promised"  # to pay by a day, or the payment is on its way
    CHECKING = "checking"  # we look into the document ourselves
    SMALL = "small"  # what is left is too little for a pause
    DECIDED = "decided"  # a person of ours decided so


@dataclass(frozen=True, kw_only=True)
class LetterDocument:
    """A document as a letter names it. Amounts in the letter's currency, with tax; `left` is what is still to be paid.

    Where a part of a document is disputed, it stands under `overdue` with the rest, and under `disputed` with the part.
    """

    number: str
    month: date  # the first day of the month that was billed
    total: Decimal
    left: Decimal
    due_on: date
    payment_link: str | None


@dataclass(frozen=True, kw_only=True)
class LetterMachine:
    """A machine as a letter names it, with the document for which it may stand still."""

    site: str
    machine: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A notice to a customer. `overdue` is claimed, and `claimed` is its sum less `set_against`; the rest stands apart.

    `machines` and `not_before` are empty where nothing is announced; `language` is a code of ISO 639-1.
    """

    template: str
    language: str
    name: str
    currency: str
    overdue: tuple[LetterDocument, ...]
    not_due: tuple[LetterDocument, ...] = ()
    disputed: tuple[LetterDocument, ...] = ()
    set_against: Decimal = Decimal(0)  # money that we hold for the customer and that nobody has applied
    claimed: Decimal
    machines: tuple[LetterMachine, ...] = ()
    not_before: date | None = None  # the first day on which these machines may be paused
    again: bool = False  # the stage is said once more, with another sum
    because: Because | None = None  # of `withdrawn` and `running_again`
    creditor: str = "Albacore"  # the legal entity of ours that claims, and signs
    as_of: date | None = None  # the day of which the sums are true


@dataclass(frozen=True, kw_only=True)
class WayOn:
    """What an owner may do: the job in Dagster, and the fields of its form but for actor and reason.

    A number or a truth value in the form is written as one; a text may hold `{code}`, for which a code is drawn when
    the mail is sent.
    """

    words: str
    job: str
    form: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What an owner has to do, why, by when, and the ways on."""

    subject: str  # what it is about, in a few words
    what: str
    why: str
    due_by: datetime
    letter: Letter | None = None  # the notice that the customer gets with it
    ways_on: tuple[WayOn, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A letter as it leaves."""

    subject: str
    text: str
    html: str | None = None
