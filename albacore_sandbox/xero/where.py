"""Filters and order of lists: `Status=="AUTHORISED" AND Date>=DateTime(2025,10,01)`.

Belongs here: reading such a text and applying it to documents in wire form.
Does not belong here: which lists there are.
Source: Xero's guide to optimised filters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from albacore_sandbox.store import Document
from albacore_sandbox.xero.wire import Invalid

_JOINT = re.compile(r"""("[^"]*"|'[^']*')|\s+(AND|OR)\s+|\s*(&&|\|\|)\s*""", re.I)
_TERM = re.compile(r"\(?\s*(?P<path>[A-Za-z][\w.]*?)\s*(?P<op>==|=|!=|<>|>=|<=|>|<)\s*(?P<literal>.+?)\s*", re.S)
_CALL = re.compile(r"(?P<path>[A-Za-z][\w.]*)\.(?P<op>StartsWith|EndsWith|Contains)\((?P<literal>.+)\)", re.S)
_MS = re.compile(r"/Date\((-?\d+)")


def matching(documents: Sequence[Document], where: str | None) -> list[Document]:
    """The documents that fulfil a filter. Raises Invalid for one that is not understood."""
    if not where or not where.strip():
        return list(documents)
    alternatives = [[_term(term) for term in terms] for terms in _split(where)]
    return [
        document
        for document in documents
        if any(all(_holds(document, *term) for term in terms) for terms in alternatives)
    ]


def ordered(documents: Sequence[Document], order: str | None) -> list[Document]:
    """The documents in an order such as `UpdatedDateUTC DESC`."""
    if not order or not order.strip():
        return list(documents)
    path, _, direction = order.strip().partition(" ")
    present = [document for document in documents if _value(document, path) is not None]
    absent = [document for document in documents if _value(document, path) is None]
    return absent + sorted(present, key=lambda d: _value(d, path), reverse=direction.strip().upper().startswith("DESC"))


def _split(text: str) -> list[list[str]]:
    result, rest, at = [[""]], text.strip(), 0
    for found in _JOINT.finditer(rest):
        if found[1]:
            continue
        result[-1][-1] += rest[at : found.start()]
        at = found.end()
        if (found[2] or found[3]).upper() in ("AND", "&&"):
            result[-1].append("")
        else:
            result.append([""])
    result[-1][-1] += rest[at:]
    return result


def _term(text: str) -> tuple[str, str, Any]:
    bare = text.strip()
    if found := _CALL.fullmatch(bare):
        return found["path"], found["op"].lower(), _literal(found["literal"])
    while bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    if found := _TERM.fullmatch(bare):
        return found["path"], {"=": "==", "<>": "!="}.get(found["op"], found["op"]), _literal(found["literal"])
    raise Invalid(f"Invalid where clause: {text.strip()!r}")


def _literal(text: str) -> Any:
    bare = text.strip()
    if found := re.fullmatch(r"""(?:guid\()?\s*["']([^"']*)["']\s*\)?""", bare, re.I):
        return found[1]
    if found := re.fullmatch(r"DateTime\(([\d,\s]+)\)", bare, re.I):
        return datetime(*[int(part) for part in found[1].split(",")], tzinfo=UTC)  # type: ignore[misc,arg-type]
    if bare.lower() in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[bare.lower()]
    try:
        return Decimal(bare)
    except ArithmeticError:
        raise Invalid(f"Invalid where clause: {bare!r} is no literal") from None


def _value(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str) and (found := _MS.match(value)):
        return datetime.fromtimestamp(int(found[1]) / 1000, UTC)
    return value


def _holds(document: Document, path: str, op: str, literal: Any) -> bool:
    value = _value(document, path)
    if op in ("==", "!="):
        return bool(value == literal) == (op == "==")
    if value is None or literal is None:
        return False
    if op in ("startswith", "endswith", "contains"):
        text, part = str(value).lower(), str(literal).lower()
        return part in text if op == "contains" else bool(getattr(text, op)(part))
    try:
        return bool({">": value > literal, "<": value < literal, ">=": value >= literal, "<=": value <= literal}[op])
    except TypeError:
        raise Invalid(f"Invalid where clause: {path} can't be compared with {literal!r}") from None
