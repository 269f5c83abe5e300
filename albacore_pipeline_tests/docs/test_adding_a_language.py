"""docs/adding-a-language.md: its blocks make a language, and its table names every field of a letter."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from albacore_pipeline.escalation.letters import write as letters
from albacore_pipeline.escalation.letters.facts import Letter, LetterDocument
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.pages import DOCS, blocks, quoted, rows

PAGE = DOCS / "adding-a-language.md"
FOLDER = "albacore_pipeline/escalation/letters/templates"
LETTER = Letter(
    template="reminder", language="sv", name="Älv AB", currency="SEK", claimed=Decimal("1234.50"),
    as_of=date(2025, 12, 9),
    overdue=(
        LetterDocument(
            number="2025-10-c04-1", month=date(2025, 10, 1), total=Decimal(2000), left=Decimal("1234.50"),
            due_on=date(2025, 12, 1), payment_link=None,
        ),
    ),
)  # fmt: skip


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The templates with those of the page."""
    shutil.copytree(PROJECT / FOLDER, tmp_path / FOLDER)
    (commands,) = blocks(PAGE, "sh")
    subprocess.run(["sh", "-ec", commands], cwd=tmp_path, check=True)
    for block in blocks(PAGE, "jinja"):
        head, _, text = block.partition("\n")
        (tmp_path / FOLDER / "sv" / head.strip("{#} ")).write_text(text)
    monkeypatch.setattr(letters, "TEMPLATES", tmp_path / FOLDER)
    return tmp_path / FOLDER


def test_the_blocks_of_the_page_make_a_language(templates: Path) -> None:
    assert "sv" in letters.languages()
    for path in (templates / "sv").iterdir():
        letters.check_part(path.read_text(), known=frozenset(letters.LetterFields.__annotations__))

    mail = letters.write(LETTER)

    assert mail.subject == "Påminnelse: 1 234,50 SEK förfallet (2025-10-c04-1)"
    for words in ("Förfallet och krävt, per 9 december 2025\n---", "Månad: oktober 2025", "Krav: 1\xa0234,50\xa0SEK"):
        assert words in mail.text
    assert "Förföll: 1 december 2025" in mail.text


def test_the_page_names_every_field_of_a_letter_and_the_columns_of_its_tables() -> None:
    fields = {name for row in rows(PAGE, "## 3. What a template may use") for name in quoted(row[0])}

    assert fields == set(letters.LetterFields.__annotations__)
    words = {row[0]: row[1] for row in rows(PAGE, "## 3. What a template may use")}
    for name in ("overdue", "machines"):
        assert letters.ROW_FIELDS[name] <= set(re.findall(r"\w+", words[f"`{name}`"]))
