"""The code speaks the field's language: no name of ours where the domain has one. `docs/glossary.md` maps the words."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from albacore_pipeline.settings import PROJECT

INSTEAD = {
    "hand_job": "operator_job",
    "ByHand": "OperatorForm",
    "deliver": "dispatch",
    "Outside": "ExternalSystems",
    "Verdict": "RatingResult",
    "rented": "billable_assignments",
    "cut": "accepted_readings",
    "priced": "tariff_periods",
    "guessed": "estimated_energy",
    "come": "added",
    "gone": "removed",
    "told": "a noun of the domain",
    "said": "a noun of the domain",
    "odd": "a noun of the domain",
    "better": "a noun of the domain",
    "place": "a noun of the domain",
    "alone": "a noun of the domain",
    "know": "a noun of the domain",
}
FILES = sorted((PROJECT / "albacore_pipeline").rglob("*.py"))
QUERIES = sorted((PROJECT / "sql").rglob("*.sql"))


def names(path: Path) -> Iterator[str]:
    """The names in a file of Python: not its strings, and not its comments."""
    with path.open("rb") as file:
        yield from (token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_name_is_a_coined_word(path: Path) -> None:
    found = {name: INSTEAD[name.strip("_")] for name in names(path) if name.strip("_") in INSTEAD}

    assert found == {}, "what stands behind each is its word"


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_table_or_column_of_a_query_is_a_coined_word(path: Path) -> None:
    text = re.sub(r"--.*|'(?:[^']|'')*'", "", path.read_text())

    found = {word for word in INSTEAD if re.search(rf"\b{word}\b", text)}
    assert found == set()
