"""The guide to the code, and the README of each room, say what the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.layers import layers, picture
from albacore_pipeline_tests.docs.pages import DOCS, ROOMS, quoted, rows

GUIDE = DOCS / "architecture.md"
PACKAGE = PROJECT / "albacore_pipeline"


def test_the_picture_is_made_from_the_import_contract() -> None:
    assert picture() in GUIDE.read_text(), "python -m albacore_pipeline_tests.docs.layers makes it"


def test_the_picture_has_every_room() -> None:
    boxes = {name for boxes in layers() for box in boxes for name in box.split(", ")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}

    assert boxes == {room.name for room in ROOMS} | modules


def test_each_how_to_page_is_where_a_stranger_looks_first() -> None:
    named = {
        target for row in rows(GUIDE, "## I want to …") for target in re.findall(r"\]\((adding-[\w-]+\.md)\)", row[1])
    }

    assert named == {path.name for path in DOCS.glob("adding-*.md")}


def test_the_guide_names_every_sensor() -> None:
    snapshot = (PROJECT / "albacore_pipeline_tests" / "test_definitions.json").read_text()
    sensors = set(ast.literal_eval(re.sub(r"\bnull\b", "None", snapshot))["sensors"])

    assert {name for row in rows(GUIDE, "## What drives it") for name in quoted(row[0])} == sensors


# The rooms


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_belongs_there_and_what_does_not(room: Path) -> None:
    text = " ".join((room / "README.md").read_text().split())

    assert "**Belongs here**:" in text and "**Does not**:" in text


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_names_whom_it_asks_and_who_asks_it(room: Path) -> None:
    text = (room / "README.md").read_text()
    asks = _imports(room.glob("**/*.py")) - {room.name}
    askers = {
        path.name.removesuffix(".py")
        for path in [*ROOMS, PACKAGE / "definitions.py"]
        if path != room and room.name in _imports([path] if path.is_file() else path.glob("**/*.py"))
    }

    assert (_said(text, "Asks"), _said(text, "Asked by")) == (asks, askers)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_names_files_that_are_there(room: Path) -> None:
    named = [name for row in rows(room / "README.md") for name in quoted(row[0])]

    assert [name for name in named if not (room / name).exists()] == []


def _said(text: str, word: str) -> set[str]:
    """The rooms that a README names after `**Asks**` or `**Asked by**`."""
    (sentence,) = re.findall(rf"\*\*{word}\*\* (.*?)[.;]\s", text, re.DOTALL)
    return set(quoted(sentence))


def _imports(paths: Iterator[Path] | list[Path]) -> set[str]:
    """The rooms that some modules import from."""
    trees = (ast.parse(path.read_text()) for path in paths)
    found = (node.module or "" for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    rooms = {room.name for room in ROOMS}
    return {parts[1] for parts in (name.split(".") for name in found) if len(parts) > 1 and parts[1] in rooms}


def test_no_run_imports_pandas() -> None:
    """As docs/decisions/0010-where-pandas-is-used.md says; a command may, for who looks at tables."""
    runs = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "cli"]

    assert [path for path in runs if re.search(r"^\s*(import|from) pandas", path.read_text(), re.MULTILINE)] == []
