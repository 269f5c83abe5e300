"""Sets a statement as PDF/A: equal facts give equal bytes.

PDF/A, because a bill is kept for years, and because it makes the typesetter refuse text without glyphs instead of
leaving it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import typst

from albacore_pipeline.registry.glyphs import FONT_FOLDER, font_families

TEMPLATE = Path(__file__).with_name("statement.typ")


@cache
def _compiler() -> typst.Compiler:
    """One for the process: it keeps the fonts and what it has laid out before."""
    return typst.Compiler(TEMPLATE, font_paths=[FONT_FOLDER], ignore_system_fonts=True)


class StatementFailure(Exception):
    """A statement that can't be set. One line."""


def statement_pdf(facts: Mapping[str, Any]) -> bytes:
    """The facts as a PDF. Raises StatementFailure where they can't be set."""
    inputs = {"data": json.dumps({"fonts": font_families()} | dict(facts))}
    try:
        return cast(bytes, _compiler().compile(format="pdf", sys_inputs=inputs, pdf_standards=["a-2a"]))
    except typst.TypstError as error:
        raise StatementFailure(f"the typesetter says: {error}") from None
