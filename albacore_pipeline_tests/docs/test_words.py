"""What the documents name is there: pages, paths, tables and views, fixtures, commands of make."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.pages import DOCS, documents, quoted, rows
from albacore_pipeline_tests.small_world import ask

A_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
ENDS = (".py", ".sql", ".md", ".csv", ".yaml", ".j2", ".typ", ".toml", ".txt", ".sh", "/")
# Files of a user, of a migration that is yet to be written, and of a running product.
ELSEWHERE = re.compile(
    r"(customers|assignments|tariffs|tariff_bands|prices|entities|machines)\.csv|policies\.yaml|"
    r"0002_.*|(before|after)\.sql|(test|\.albacore)/"
)


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", page.read_text())
    broken = [
        target + anchor
        for target, anchor in links
        if not target.startswith(("http:", "https:", "mailto:")) and not _leads(page, target, anchor)
    ]
    assert broken == []


def _leads(page: Path, target: str, anchor: str) -> bool:
    there = (page.parent / target) if target else page
    return there.exists() and (not anchor or anchor.removeprefix("#") in _anchors(there))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_a_path_that_is_named_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    paths = [
        word
        for word in quoted(text)
        if A_PATH.fullmatch(word) and word.endswith(ENDS) and not ELSEWHERE.fullmatch(word)
    ]
    assert [path for path in paths if not _is_there(path, page)] == []


def _is_there(path: str, page: Path) -> bool:
    """Whether a path leads somewhere from the page's folder, the project, the package or its tests.

    A bare name may be that of a file or folder anywhere in them.
    """
    trees = (PROJECT / "albacore_pipeline", PROJECT / "albacore_pipeline_tests", PROJECT / "sql")
    if any((root / path).exists() for root in (page.parent, PROJECT, *trees)):
        return True
    bare = path.rstrip("/")
    return "/" not in bare and any(next(tree.rglob(bare), None) for tree in trees)


def test_the_tables_and_views_of_the_glossary_are_in_the_schema(connection: sa.Connection) -> None:
    known = {
        f"{schema}.{name}"
        for schema, name in ask(
            connection,
            "select relnamespace::regnamespace::text, relname from pg_class where relkind in ('r', 'p', 'v')",
        )
    }
    named = {word for word in quoted((DOCS / "glossary.md").read_text()) if re.match(r"(albacore|report)\.\w+$", word)}
    assert named and named - known == set()


@pytest.mark.parametrize(
    "heading", ["## Energy", "## Registry", "## Billing and documents", "## Debts and machines", "## Platform"]
)
def test_a_word_of_the_glossary_stands_there_once(heading: str) -> None:
    words = [row[0] for row in rows(DOCS / "glossary.md", heading)]
    assert sorted(words) == sorted(set(words))


# Testing


def test_each_fixture_is_where_the_page_says() -> None:
    for name, _, place in rows(DOCS / "testing.md", "## Fixtures"):
        (path,) = quoted(place)
        for fixture in quoted(name):
            definition = re.compile(rf"@pytest\.fixture.*\ndef {fixture}\(")
            assert definition.search((PROJECT / "albacore_pipeline_tests" / path).read_text()), f"{fixture} in {path}"


def test_make_help_lists_every_target() -> None:
    make = shutil.which("make")
    assert make, "make is missing: apt-get install make"
    shown = subprocess.run([make, "-C", str(PROJECT), "help"], capture_output=True, text=True, check=True).stdout
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^make (\S+) +\S", shown, re.MULTILINE) == targets.split()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "docs/testing.md"])
def test_a_command_of_make_is_one(page: str) -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:`|^)make ([a-z-]+)", (PROJECT / page).read_text(), re.MULTILINE)
    assert named and set(named) <= set(targets.split())
