"""Xero's wire format stays in its room."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import albacore_pipeline
from albacore_pipeline.xero import decode, encode, wire

PACKAGE = Path(albacore_pipeline.__file__).parent
FIELD = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]*)+")  # of two words at least: `Date` and `Name` are anybody's


def fields_of(*files: str) -> set[str]:
    """The names of Xero's fields that modules write as texts."""
    nodes = [node for file in files for node in ast.walk(ast.parse(Path(file).read_text()))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if FIELD.fullmatch(text)}


def test_no_module_outside_the_room_names_a_field_or_a_sentence_of_xero() -> None:
    fields = fields_of(wire.__file__, decode.__file__, encode.__file__)
    assert {"InvoiceID", "AmountDue", "ValidationErrors", "LineItems", "ContactNumber", "RemainingCredit"} <= fields
    words = re.compile("|".join([*(rf"\b{field}\b" for field in sorted(fields)), *decode.SENTENCES]))
    leaks = [
        f"{path.relative_to(PACKAGE)}: {found.group()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "xero"
        for found in words.finditer(path.read_text())
    ]
    assert leaks == []


def test_within_the_room_only_wire_and_decode_read_them_and_only_encode_writes_them() -> None:
    fields = fields_of(wire.__file__, decode.__file__, encode.__file__)
    others = [path for path in (PACKAGE / "xero").glob("*.py") if path.stem not in ("wire", "decode", "encode")]
    assert fields_of(*map(str, others)) & fields == set()
