"""Reads the documents: pages, their code blocks, and the tables in them.

Belongs here: from a page to what it says. Does not belong here: whether that is so; that is in the tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from albacore_pipeline.settings import PROJECT

DOCS = PROJECT / "docs"
ROOMS = sorted(path.parent for path in (PROJECT / "albacore_pipeline").glob("*/__init__.py"))


def documents() -> list[Path]:
    """Every page of the documents: those at the top, in `docs/`, and the README of each folder."""
    folders = (
        DOCS,
        *(PROJECT / name for name in ("albacore_pipeline", "albacore_pipeline_tests", "albacore_sandbox", "sql")),
    )
    return [*sorted(PROJECT.glob("*.md")), *sorted(path for folder in folders for path in folder.rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def rows(page: Path, heading: str = "") -> list[list[str]]:
    """The cells of the first table on a page, or under a heading of it, without the table's own two lines."""
    text = page.read_text()
    if heading:
        _, _, text = text.partition(f"\n{heading}\n")
        assert text, f"{page.name} has no heading {heading!r}"
    found = [_cells(line) for line in _first_table(text)]
    assert len(found) > 2, f"{page.name} has no table under {heading!r}"
    return found[2:]


def _first_table(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if line.startswith("|"):
            inside = True
            yield line
        elif inside:
            return


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def quoted(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def places(page: Path, heading: str) -> set[str]:
    """The files in the first column of a table, all of which are there."""
    found = {name for row in rows(page, heading) for name in quoted(row[0])}
    assert [name for name in sorted(found) if not (PROJECT / name).exists()] == [], f"{page.name} names what is gone"
    return found


def patched(block: str) -> tuple[Path, str]:
    """The file that a `diff` block names, within the project, and its text with the block's hunks in it.

    A hunk begins with a line of `@@` and words; it must fit in exactly one place.
    """
    head, *hunks = re.split(r"^@@.*\n", block, flags=re.MULTILINE)
    path = Path(head.removeprefix("--- ").strip())
    text = (PROJECT / path).read_text()
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in sides) for sides in (" -", " +"))
        assert text.count(old) == 1, f"{path} has no such lines any more, or has them twice:\n{old}"
        text = text.replace(old, new)
    return path, text


def module_of(text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with this text, for as long as the test lasts."""
    module = ModuleType("of_a_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(text, vars(module))  # noqa: S102 - our own text
    return module
