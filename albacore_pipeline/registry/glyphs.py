"""What the statement can print: its fonts, and the characters that they lack.

The typesetter prints nothing, or a box, where a font has no glyph, and says nothing. So text that goes on a statement
is checked when the registry is loaded.
Does not belong here: how a statement looks.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont

FONT_FOLDER = Path(str(files("manimgx_fonts")))  # Noto Sans for Latin, Greek, Cyrillic, Ethiopic, Thai and more
_JOINERS = "\u200c\u200d"  # they shape Persian and Indic words, and print nothing by right
_NOTHING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, and what turns the direction of the text around


@cache
def _maps() -> dict[str, frozenset[int]]:
    """The code points of each font family, Noto Sans first: the order in which a glyph is looked for."""
    paths = sorted(FONT_FOLDER.glob("NotoSans*.ttf"), key=lambda path: (not path.name.startswith("NotoSans["), path))
    maps = {}
    for path in paths:
        with TTFont(path, lazy=True) as font:
            if "Italic" not in path.name:
                maps[font["name"].getBestFamilyName()] = frozenset(font.getBestCmap())
    return maps


def font_families() -> list[str]:
    """The families in which statements are set, in order."""
    return list(_maps())


@cache
def _printable() -> frozenset[int]:
    known = frozenset().union(*_maps().values())
    return frozenset(point for point in known if unicodedata.category(chr(point)) not in _NOTHING)


def unprintable(text: str) -> str:
    """The characters of a text that a statement can't print, each once, in order. Line breaks can."""
    lacking = (
        character
        for character in dict.fromkeys(text)
        if ord(character) not in _printable() and character not in f"\n{_JOINERS}"
    )
    return "".join(lacking)
