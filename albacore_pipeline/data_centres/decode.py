"""From an answer's bytes to typed values and columns of numbers.

Belongs here: what the JSON interfaces share. A body that is empty, a web page, cut short or of another shape raises.
Does not belong here: the shape of any one interface's answer, and whether a reading is believable (`sift.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.data_centres.http import NO_ANSWER, SiteHttp

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Column:
    """Stamps as the site counts them, values, and the readings whose value is no number as (stamp, text)."""

    stamp: NDArray[np.float64]
    value: NDArray[np.float64]
    unreadable: list[tuple[float, str]] = field(default_factory=list)


@contextmanager
def decoding(*, body: bytes, http: SiteHttp, what: str) -> Iterator[None]:
    """Turns whatever msgspec finds wrong with `body` inside into the client's failure, saying in which way."""
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _undecodable(body=body, error=error, http=http, what=what) from None


def decode(*, body: bytes, kind: type[T], http: SiteHttp, what: str, lax: bool = False) -> T:
    """Decode one JSON value into `kind`, a type that msgspec knows; `lax` lets numbers be strings.

    Raises the client's failure.
    """
    with decoding(body=body, http=http, what=what):
        value = msgspec.json.decode(body, type=kind, strict=not lax)
    return value


def _undecodable(*, body: bytes, error: Exception, http: SiteHttp, what: str) -> Exception:
    mend = "see whether {prefix}_URL leads to the right server, and what stands before it"
    if not body.strip():
        cause = "the answer is empty"
    elif body.lstrip()[:1] == b"<":
        cause = "a web page came instead of data"
    elif isinstance(error, msgspec.ValidationError):
        cause = f"the answer has another shape than expected ({error})"
    else:
        cause, mend = f"the answer is cut short or no JSON ({error})", NO_ANSWER
    return http.failure(what=what, cause=cause, mend=mend)


def pairs(raw: msgspec.Raw, *, quoted: bool) -> Column:
    """Columns of `[[stamp, value], ...]`; `quoted` where the interface writes values as strings.

    Raises msgspec.ValidationError where an entry isn't such a pair.
    """
    try:
        table = np.array(msgspec.json.decode(raw, type=list[tuple[float, float]], strict=not quoted), dtype=np.float64)
    except msgspec.ValidationError:
        entries = msgspec.json.decode(raw, type=list[tuple[float, msgspec.Raw]])
        return _one_by_one([stamp for stamp, _ in entries], [value for _, value in entries], quoted=quoted)
    table = table.reshape(-1, 2)
    return Column(stamp=table[:, 0], value=table[:, 1])


def parallel(timestamps: msgspec.Raw, values: msgspec.Raw) -> Column:
    """Columns of two lists that stand beside each other. Raises msgspec.ValidationError where they don't match."""
    stamps = _stamps(bytes(timestamps))
    column: Column
    try:
        numbers = np.array(msgspec.json.decode(values, type=list[float]), dtype=np.float64)
        column, count = Column(stamp=stamps, value=numbers), len(numbers)
    except msgspec.ValidationError:
        entries = msgspec.json.decode(values, type=list[msgspec.Raw])
        count = len(entries)
        column = _one_by_one(stamps[:count].tolist(), entries, quoted=False)
    if count != len(stamps):
        raise msgspec.ValidationError(f"{len(stamps)} timestamps and {count} values")
    return column


@functools.lru_cache(maxsize=512)
def _stamps(timestamps: bytes) -> NDArray[np.float64]:
    """A list of stamps as a column that nobody may write to: many machines are read at the very same instants."""
    stamps = np.array(msgspec.json.decode(timestamps, type=list[int]), dtype=np.float64)
    stamps.setflags(write=False)
    return stamps


def _one_by_one(stamps: list[float], values: list[msgspec.Raw], *, quoted: bool) -> Column:
    """The slow way, for a series in which some value is no number: keep the others, and hand out the bad ones."""
    good: list[tuple[float, float]] = []
    unreadable: list[tuple[float, str]] = []
    for stamp, raw in zip(stamps, values, strict=True):
        text = bytes(raw).decode(errors="replace")
        number = parse_number(text[1:-1] if quoted and text.startswith('"') else text)
        if number is None:
            unreadable.append((stamp, text))
        else:
            good.append((stamp, number))
    table = np.array(good, dtype=np.float64).reshape(-1, 2)
    return Column(stamp=table[:, 0], value=table[:, 1], unreadable=unreadable)


def parse_number(text: str) -> float | None:
    """A number as JSON or Go writes it (`NaN`, `+Inf` and overflow included), or None."""
    if "_" in text or text != text.strip():  # Python alone would take these
        return None
    try:
        return float(text)
    except ValueError:
        return None
