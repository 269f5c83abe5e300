"""Statements of InfluxQL: the few that read points of a measurement and list tag values.

Belongs here: reading a statement into a small value, and epoch precisions.
Does not belong here: arithmetic, sub-queries and GROUP BY time(); the sandbox refuses them rather than answer wrongly.
Source: the InfluxQL reference of InfluxDB 1.x.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from albacore_sandbox.clock import instant

NANOSECONDS = {"ns": 1, "n": 1, "u": 1000, "µ": 1000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}

_NAME = r'(?:"[^"]+"|[A-Za-z_]\w*)'
_SELECT = re.compile(
    rf"SELECT\s+(?P<what>.+?)\s+FROM\s+(?P<source>{_NAME}(?:\.{_NAME}|\.\.{_NAME})*)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?(?:\s+GROUP\s+BY\s+(?P<group>.+?))?"
    r"(?:\s+ORDER\s+BY\s+time\s+(?P<order>ASC|DESC))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.I | re.S,
)
_TAG_VALUES = re.compile(
    rf"SHOW\s+TAG\s+VALUES\s+(?:ON\s+{_NAME}\s+)?FROM\s+(?P<source>{_NAME})\s+WITH\s+KEY\s*=\s*(?P<key>{_NAME})"
    r"(?:\s+WHERE\s+(?P<where>.+?))?\s*",
    re.I | re.S,
)
_TIME = re.compile(
    r"time\s*(?P<op>>=|<=|>|<|=)\s*(?:'(?P<text>[^']+)'|(?P<number>\d+)(?P<unit>ns|ms|[nuµsmh])?)\s*", re.I
)
_TAG = re.compile(
    rf"(?P<tag>{_NAME})\s*(?P<op>=~|!~|!=|=)\s*(?:/(?P<regex>(?:[^/\\]|\\.)*)/|'(?P<text>(?:[^'\\]|\\.)*)')\s*", re.S
)


class ParseError(ValueError):
    """The statement is not understood."""


@dataclass(frozen=True)
class TagCondition:
    """One condition on a tag; a regular expression matches anywhere unless it is anchored."""

    tag: str
    op: str
    text: str

    def lets_through(self, value: str) -> bool:
        """Whether a tag's value fulfils the condition."""
        met = value == self.text if self.op in ("=", "!=") else re.search(self.text, value) is not None
        return met if self.op in ("=", "=~") else not met

    def names(self) -> set[str] | None:
        """The literal values that `=` or `/^(A|B)$/` lets through; None for anything cleverer."""
        if self.op == "=":
            return {self.text}
        found = re.fullmatch(r"\^\(?([\w\\|-]+)\)?\$", self.text) if self.op == "=~" else None
        return {re.sub(r"\\(.)", r"\1", part) for part in found[1].split("|")} if found else None


@dataclass(frozen=True, kw_only=True)
class Where:
    """A closed range of nanoseconds (None: open) and alternatives of tag conditions, all of which must be met."""

    start: int | None = None
    end: int | None = None
    tags: tuple[tuple[TagCondition, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Statement:
    """`kind` is `select` or `tag_values`; `last` is LAST(field); `group` may hold `*`."""

    kind: str
    measurement: str
    where: Where
    fields: tuple[str, ...] = ()
    last: bool = False
    group: tuple[str, ...] = ()
    descending: bool = False
    limit: int | None = None


def parse(text: str, *, unit: int) -> list[Statement]:
    """Read statements separated by semicolons; bare numbers are times of `unit` nanoseconds. Raises ParseError."""
    statements = [part.strip() for part in re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", text) if part.strip()]
    if not statements:
        raise ParseError("error parsing query: found EOF, expected a statement at line 1, char 1")
    return [_statement(part, unit=unit) for part in statements]


def _statement(text: str, *, unit: int) -> Statement:
    if found := _SELECT.fullmatch(text):
        fields, last = _fields(found["what"])
        return Statement(
            kind="select",
            measurement=_unquoted(re.split(r"\.+", found["source"])[-1]),
            where=_where(found["where"], unit=unit),
            fields=fields,
            last=last,
            group=tuple(_unquoted(name.strip()) for name in (found["group"] or "").split(",") if name.strip()),
            descending=(found["order"] or "").upper() == "DESC",
            limit=int(found["limit"]) if found["limit"] else None,
        )
    if found := _TAG_VALUES.fullmatch(text):
        where = _where(found["where"], unit=unit)
        key = (_unquoted(found["key"]),)
        return Statement(kind="tag_values", measurement=_unquoted(found["source"]), where=where, group=key)
    raise ParseError(f"error parsing query: found {text.split()[0]}, the sandbox does not know this statement")


def _fields(text: str) -> tuple[tuple[str, ...], bool]:
    if found := re.fullmatch(rf"LAST\(\s*({_NAME})\s*\)(?:\s+AS\s+{_NAME})?", text, re.I):
        return (_unquoted(found[1]),), True
    parts = [part.strip() for part in text.split(",")]
    if not all(part == "*" or re.fullmatch(_NAME, part) for part in parts):
        raise ParseError(f"error parsing query: the sandbox reads plain fields only, not {text!r}")
    return tuple(_unquoted(part) for part in parts), False


def _where(text: str | None, *, unit: int) -> Where:
    start: int | None = None
    end: int | None = None
    tags = []
    for part in _split(text or "", "AND"):
        if found := _TIME.fullmatch(part):
            at = _nanoseconds(found, unit=unit)
            if found["op"] in (">=", ">", "="):
                start = max(start or 0, at + (found["op"] == ">"))
            if found["op"] in ("<=", "<", "="):
                bound = at - (found["op"] == "<")
                end = bound if end is None else min(end, bound)
        else:
            tags.append(tuple(_tag(each) for each in _split(_bare(part), "OR")))
    return Where(start=start, end=end, tags=tuple(tags))


def _nanoseconds(found: re.Match[str], *, unit: int) -> int:
    if found["number"]:
        return int(found["number"]) * (NANOSECONDS[found["unit"].lower()] if found["unit"] else unit)
    try:
        return round(instant(found["text"]) * 1000) * 10**6
    except ValueError:
        raise ParseError(f"invalid operation: time and *influxql.StringLiteral {found['text']!r}") from None


def _tag(text: str) -> TagCondition:
    found = _TAG.fullmatch(text)
    if found is None:
        raise ParseError(f"error parsing query: the sandbox does not know the condition {text!r}")
    literal = found["regex"].replace("\\/", "/") if found["regex"] is not None else found["text"]
    return TagCondition(_unquoted(found["tag"]), found["op"], literal)


def _split(text: str, word: str) -> list[str]:
    """Split at a word outside of parentheses, quotes and regular expressions."""
    pieces = re.split(r"('(?:[^'\\]|\\.)*'|/(?:[^/\\]|\\.)*/|[()]|\b" + word + r"\b)", text, flags=re.I)
    result, depth = [""], 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if piece.upper() == word and depth == 0:
            result.append("")
        else:
            result[-1] += piece
    return [part.strip() for part in result if part.strip()]


def _bare(text: str) -> str:
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name
