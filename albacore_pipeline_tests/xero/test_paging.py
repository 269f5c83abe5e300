"""A list of pages is read whole, or says nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.xero.interface import AnswerLost
from albacore_pipeline.xero.paging import Page, whole


def pages(*each: Sequence[str], items: int | Sequence[int] | None = None) -> Callable[[int], Page[str]]:
    """Reads pages of these ids; after the last one come empty ones."""

    def read(number: int) -> Page[str]:
        ids = each[number - 1] if number <= len(each) else ()
        count = items[number - 1] if isinstance(items, Sequence) else items
        return Page(elements=[(name, name) for name in ids], items=count)

    return read


@given(names=st.lists(st.text(), unique=True, min_size=1), size=st.integers(1, 5), counted=st.booleans())
def test_every_element_is_found_whatever_the_size_of_a_page(names: list[str], size: int, counted: bool) -> None:
    parts = [names[start : start + size] for start in range(0, len(names), size)]
    assert whole(pages(*parts, items=len(names) if counted else None), size=size) == names


def test_a_xero_that_makes_its_pages_smaller_is_followed_by_its_count() -> None:
    assert whole(pages("ab", "cd", "e", items=5), size=1000) == list("abcde")


def test_nothing_is_believed_only_with_a_count() -> None:
    assert whole(pages(items=0), size=2) == []
    with pytest.raises(AnswerLost, match="empty and bears no count"):
        whole(pages(), size=2)


@pytest.mark.parametrize(
    "read",
    [
        pages("ab", "bc", items=4),  # an element moved to the next page
        pages("ab", "ab"),  # a page that is always the same
        pages("aa", items=2),
        pages("ab", "c", items=[4, 3]),  # an element went away meanwhile
        pages("ab", "c", items=4),  # the rest is never shown
        pages("abc", items=2),
    ],
)
def test_a_list_that_changes_or_lacks_something_is_lost(read: Callable[[int], Page[str]]) -> None:
    with pytest.raises(AnswerLost, match="Xero's list"):
        whole(read, size=2)
