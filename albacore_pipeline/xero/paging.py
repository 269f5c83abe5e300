"""A list that Xero shows page by page: read whole, or not at all.

A list of which a part is missing says something false: that the rest is not there. So what is read must be as many
elements as Xero says that there are, each once, and the same many on every page.
Does not belong here: what a page looks like (`decode.py`), and how it is asked for (`client.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from albacore_pipeline.xero.interface import AnswerLost

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Elements with their ids; `items` is how many the whole list has, None where Xero doesn't say."""

    elements: Sequence[tuple[str, T]]
    items: int | None


def whole(read: Callable[[int], Page[T]], *, size: int) -> list[T]:
    """Every element of a list, of which `read` gives the pages from 1 on, `size` elements each but the last.

    Raises AnswerLost where the pages don't make one list.
    """
    found: dict[str, T] = {}
    first = read(1)
    if first.items is None and not first.elements:
        raise AnswerLost("Xero's list is empty and bears no count: it says nothing")
    for page in itertools.chain([first], map(read, itertools.count(2))):
        before = len(found)
        found |= dict(page.elements)
        if page.items != first.items or len(found) != before + len(page.elements):
            raise AnswerLost("Xero's list changed while it was read")
        if len(found) == page.items or len(page.elements) < (size if page.items is None else 1):
            break
    if first.items not in (None, len(found)):
        raise AnswerLost(f"Xero's list has {first.items} elements, of which it shows {len(found)}")
    return list(found.values())
