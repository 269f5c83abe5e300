"""The picture in docs/architecture.md, made from the import contract: `python -m albacore_pipeline_tests.docs.layers`.

Belongs here: reading the contract and drawing it. Does not belong here: whether it is kept; `lint-imports` says so.
"""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise

from albacore_pipeline.settings import PROJECT


def layers() -> list[list[str]]:
    """The layers of the import contract, from the top down: each as its boxes, most of them one module.

    `a | b` in the contract are boxes that know nothing of each other; modules between which `:` stands share a box.
    """
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    return [[_label(box) for box in layer.split("|")] for layer in contract["layers"]]


def _label(box: str) -> str:
    return ", ".join(re.findall(r"\w+", box))


def picture() -> str:
    """The layers as a Mermaid flowchart: an arrow leads from a box to those just below it."""
    found = layers()
    lines = [f'    {_name(box)}["{box}"]' for boxes in found for box in boxes]
    lines += [f"    {_name(a)} --> {_name(b)}" for upper, lower in pairwise(found) for a in upper for b in lower]
    return "\n".join(["flowchart TD", *lines])


def _name(box: str) -> str:
    return box.partition(",")[0]


if __name__ == "__main__":
    print(picture())
