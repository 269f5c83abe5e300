"""Tables for people as Markdown, which Dagster's interface shows beside a run.

Belongs here: how a cell is written, so that text from outside stays text. Does not belong here: which columns and rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MARKS = re.compile(r"[\\`*_\[\]<>|~&]")
_BRACKETS = re.compile(r"[\s()<>|\\]")


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link in a cell."""

    text: str
    url: str

    def __str__(self) -> str:
        return f"[{literal(self.text)}]({_BRACKETS.sub(lambda mark: f'%{ord(mark[0]):02X}', self.url)})"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a line a row. A cell is a text or a number, a Link, or a list of Links; None is an empty cell."""
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def literal(text: str) -> str:
    """A text that Markdown takes word for word, on one line."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    return str(value) if isinstance(value, Link) else literal("" if value is None else str(value))
