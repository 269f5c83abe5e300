"""What a mail of the story's mailbox says, read as its reader does: by its words, in his language.

Belongs here: taking letters apart. Does not belong here: what must be true of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

KINDS = {
    "Payment due soon": "upcoming", "Betaling forfaller snart": "upcoming",
    "Reminder": "reminder", "Påminnelse": "reminder",
    "Second reminder": "overdue", "Andre påminnelse": "overdue",
    "Final notice": "final_notice", "Siste varsel": "final_notice",
    "Your machines will be paused": "pause_scheduled", "Maskinene deres blir slått av": "pause_scheduled",
    "Your machines were switched off": "paused", "Maskinene deres er slått av": "paused",
    "Your machines are running again": "running_again", "Maskinene deres er i gang igjen": "running_again",
}  # fmt: skip
CLAIMED, NOT_DUE = (
    ("Overdue and claimed", "Forfalt og krevd"),
    ("Not yet due", "Ikke forfalt ennå", "Due soon", "Forfaller snart"),
)
DISPUTED = ("Disputed", "Omtvistet")
FIELDS = {
    "Document": "number", "Faktura": "number",
    "Still to pay": "left", "Gjenstår å betale": "left", "Open": "left", "Gjenstår": "left",
    "Was due on": "due_on", "Due on": "due_on", "Forfalt": "due_on", "Forfall": "due_on",
}  # fmt: skip
MONTHS = {
    name: number
    for names in (
        "January February March April May June July August September October November December",
        "januar februar mars april mai juni juli august september oktober november desember",
    )
    for number, name in enumerate(names.split(), start=1)
}
MACHINE = re.compile(r"^  \S+ +([A-Z]{2}-\d{4}) +(AL[BH]-\d{4}-\d{6})$", re.MULTILINE)
AMOUNT = re.compile(r"(?:[A-Z]{3}\s)?(-?\d[\d.,\s]*\d)(?:\s[A-Z]{3})?")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A document as a letter names it."""

    number: str
    left: Decimal
    due_on: date


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter to a debtor. `machines`: each with the document for which it may stand, or stood, still."""

    kind: str
    at: datetime
    to: str
    subject: str
    text: str
    claimed: tuple[Said, ...]
    not_due: tuple[Said, ...]
    disputed: bool
    claim: Decimal | None  # the sum that it claims
    held: Decimal  # less money that nobody applied
    machines: frozenset[tuple[str, str]]
    not_before: date | None


def letter(mail: dict[str, Any]) -> Letter | None:
    """The letter of a mail; None where it is none of the chain: an invoice, a task, a ticket."""
    subject, text = mail["subject"], mail["text"].replace("\r\n", "\n")
    kind = next((kind for words, kind in KINDS.items() if subject.startswith(words)), None)
    if kind is None:
        return None
    sections = _sections(text)
    claimed = _section(sections, CLAIMED)
    promise = re.search(r"(?:not before|tidligst)\s+(\d+\.?\s+\w+\s+\d{4})", text + subject)
    return Letter(
        kind=kind,
        at=datetime.fromisoformat(mail["at"]),
        to=mail["to"],
        subject=subject,
        text=text,
        claimed=tuple(_documents(claimed)),
        not_due=tuple(_documents(_section(sections, NOT_DUE))),
        disputed=bool(_section(sections, DISPUTED)),
        claim=_line(claimed, ("Claimed", "Krav")),
        held=_line(claimed, ("Less money held", "Fratrukket")) or Decimal(0),
        machines=frozenset(MACHINE.findall(text)),
        not_before=day(promise[1]) if promise else None,
    )


def _sections(text: str) -> dict[str, str]:
    """What stands below each heading, which is underlined."""
    parts = re.split(r"^(\S.*)\n-{3,}\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _section(sections: dict[str, str], headings: tuple[str, ...]) -> str:
    return "\n".join(body for heading, body in sections.items() if heading.startswith(headings))


def _documents(section: str) -> list[Said]:
    found = []
    for block in re.split(r"\n\s*\n", section):
        pairs = [line.strip().partition(": ") for line in block.splitlines() if ": " in line]
        fields = {FIELDS[name]: value for name, _, value in pairs if name in FIELDS}
        if "number" in fields:
            found.append(Said(number=fields["number"], left=amount(fields["left"]), due_on=day(fields["due_on"])))
    return found


def _line(section: str, beginnings: tuple[str, ...]) -> Decimal | None:
    lines = [line.strip() for line in section.splitlines()]
    return next((amount(line.rpartition(": ")[2]) for line in lines if line.startswith(beginnings)), None)


def amount(text: str) -> Decimal:
    """`EUR 1,891.53` or `12 191,22 NOK`: what stands after the last mark, if it is two digits, are the hundredths."""
    found = AMOUNT.fullmatch(text.strip())
    assert found, text
    digits = re.sub(r"\s", "", found[1])
    whole, hundredths = (digits[:-3], digits[-2:]) if digits[-3:-2] in (".", ",") else (digits, "00")
    return Decimal(f"{re.sub(r'[.,]', '', whole)}.{hundredths}")


def day(text: str) -> date:
    """`18 November 2025` or `18. november 2025`."""
    number, month, year = text.replace(".", "").split()
    return date(int(year), MONTHS[month], int(number))
