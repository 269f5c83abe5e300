"""What we say the fonts can print is what the typesetter prints."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest
import typst

from albacore_pipeline.registry.glyphs import FONT_FOLDER, font_families, unprintable

# PDF/A forbids text without glyphs, so the typesetter refuses what it would leave out of a plain PDF.
TEMPLATE = """
#set document(date: datetime(year: 2025, month: 11, day: 1), title: "glyphs")
#set text(font: json(bytes(sys.inputs.fonts)), fallback: false)
#sys.inputs.text
"""


def printed(text: str, folder: Path) -> bool:
    template = folder / "glyphs.typ"
    template.write_text(TEMPLATE)
    try:
        typst.compile(
            template, format="pdf", font_paths=[FONT_FOLDER], ignore_system_fonts=True, pdf_standards=["a-2b"],
            sys_inputs={"text": text, "fonts": json.dumps(font_families())},
        )  # fmt: skip
    except typst.TypstError as error:
        assert "could not be displayed" in str(error)
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "Åse Ødegård & Sønner ANS, Tromsø",
        "Äänekosken Sähkö Oy, Hyvinkää",
        "PT Cahaya Élan Nusantara (Persero) Tbk.",
        "አበበ ቢቂላ ኃላፊነቱ የተወሰነ የግል ማኅበር፣ አዲስ አበባ",
        "Δήμητρα, Жуков, Łódź, Þórr, İzmir, 12 %, €1,234.50 № 7",
        "1 Street\n0150 Oslo",
    ],
)
def test_the_customers_scripts_are_printable(text: str, tmp_path: Path) -> None:
    assert unprintable(text) == ""
    assert printed(text, tmp_path)


def test_what_is_refused_is_named_once_and_in_order() -> None:
    assert unprintable("東京 Oy 東 😀") == "東京😀"


@pytest.mark.parametrize("character", ["東", "😀", "\U00013000", "\ufffe", "\x07"])
def test_a_character_that_is_refused_is_not_printed(character: str, tmp_path: Path) -> None:
    assert unprintable(f"a{character}b") == character
    assert not printed(f"a{character}b", tmp_path)


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u00ad", "\ufeff", "\t", "\r", "\u2028"])
def test_what_shows_as_nothing_or_turns_text_around_is_refused(character: str) -> None:
    assert unprintable(f"a{character}b") == character


def test_every_other_character_of_unicode_is_printed(tmp_path: Path) -> None:
    """All of them in one text: one that the typesetter could not print would fail it."""
    everything = map(chr, range(32, sys.maxunicode + 1))
    said = [character for character in everything if not unprintable(character)]
    assert len(said) > 7_000
    assert all(unicodedata.category(character) != "Cs" for character in said)
    assert printed(" ".join(said), tmp_path)
