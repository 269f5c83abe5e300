"""Series selectors of PromQL: `metric{label=~"A|B"}[26h]`. What both Prometheus and VictoriaMetrics understand.

Belongs here: reading a selector and telling which of the machines it means; numbers and times of their HTTP API.
Does not belong here: functions, operators and offsets; the sandbox refuses them rather than answer wrongly.
Source: the querying basics of Prometheus' documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from albacore_sandbox.clock import instant

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_SELECTOR = re.compile(r"\s*(?P<name>[A-Za-z_:][\w:]*)?\s*(?:\{(?P<labels>.*)\})?\s*(?:\[(?P<range>\w+)\])?\s*", re.S)
_MATCHER = re.compile(
    r"""\s*(?P<label>[A-Za-z_]\w*)\s*(?P<op>=~|!~|!=|=)\s*"""
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(?:,|$)""",
    re.S,
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.S)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
_LITERAL = re.compile(r"(?:[\w :/@-]|\\[^\w\s])+")


class ParseError(ValueError):
    """The expression is not understood."""


@dataclass(frozen=True)
class Matcher:
    """One condition on a label; regular expressions are anchored on both ends."""

    label: str
    op: str
    text: str

    def names(self) -> set[str] | None:
        """The literal values that `=` or a plain `A|B|C` lets through; None for anything cleverer."""
        if self.op == "=":
            return {self.text}
        parts = self.text.removeprefix("(").removesuffix(")").split("|") if self.op == "=~" else []
        if parts and all(_LITERAL.fullmatch(part) for part in parts):
            return {re.sub(r"\\(.)", r"\1", part) for part in parts}
        return None

    def lets_through(self, value: str) -> bool:
        """Whether a label's value fulfils the condition."""
        met = value == self.text if self.op in ("=", "!=") else re.fullmatch(self.text, value) is not None
        return met if self.op in ("=", "=~") else not met


@dataclass(frozen=True)
class Selector:
    """A metric's name (may be empty), conditions on labels, and the range in seconds, if there is one."""

    metric: str
    matchers: tuple[Matcher, ...]
    seconds: float | None

    def chooses(self, labels: Mapping[str, str]) -> bool:
        """Whether a series is meant; a label that it does not have counts as empty."""
        return all(matcher.lets_through(labels.get(matcher.label, "")) for matcher in self.matchers)

    def candidates(self, rows: Mapping[str, int]) -> Sequence[int]:
        """The rows of the machines that may be meant, in order: the quick way for lists of names."""
        for matcher in self.matchers:
            names = matcher.names() if matcher.label == "machine" else None
            if names is not None:
                return sorted(rows[name] for name in names if name in rows)
        return range(len(rows))


def parse_selector(text: str) -> Selector:
    """Read one selector. Raises ParseError."""
    found = _SELECTOR.fullmatch(text)
    if not text.strip() or found is None:
        raise ParseError(f"parse error: the sandbox understands plain series selectors only, not {text[:80]!r}")
    matchers = _matchers(found["labels"] or "")
    name = found["name"] or next((m.text for m in matchers if m.label == "__name__" and m.op == "="), "")
    others = tuple(m for m in matchers if not (m.label == "__name__" and m.op == "="))
    if not name and not others:
        raise ParseError("parse error: vector selector must contain at least one non-empty matcher")
    return Selector(name, others, duration(found["range"]) if found["range"] else None)


def duration(text: str) -> float:
    """Seconds of a duration such as `26h` or `1d12h`. Raises ParseError."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ParseError(f"parse error: not a valid duration string: {text!r}")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def api_time(text: str) -> float:
    """Seconds since the epoch of an API's time: a number or RFC 3339. Raises ParseError."""
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text):
        return float(text)
    try:
        return instant(text)
    except ValueError:
        raise ParseError(f"cannot parse {text!r} to a valid timestamp") from None


def _matchers(text: str) -> list[Matcher]:
    result, at = [], 0
    while at < len(text.rstrip()):
        found = _MATCHER.match(text, at)
        if found is None:
            raise ParseError(f"parse error: unexpected text in label matching: {text[at : at + 40]!r}")
        matcher = Matcher(found["label"], found["op"], _unquoted(found["text"]))
        if matcher.op in ("=~", "!~"):
            _check_regex(matcher.text)
        result.append(matcher)
        at = found.end()
    return result


def _check_regex(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise ParseError(f"parse error: error parsing regexp: {error}") from None


def _unquoted(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]

    def replace(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _SIMPLE:
            raise ParseError(f"parse error: unknown escape sequence U+{ord(code):04X} {code!r}")
        return _SIMPLE[code]

    return _ESCAPE.sub(replace, text[1:-1])
