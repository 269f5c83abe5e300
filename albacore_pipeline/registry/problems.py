"""What is wrong with a registry, or odd about it, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """Something at a place in the files. A problem keeps a registry from being loaded; as a note it doesn't."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.column}: {self.message}" if self.column else f"{where}: {self.message}"


class RegistryRefused(Exception):
    """The registry was refused whole; `problems` has them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            "; ".join(map(str, problems[:20])) + (f"; and {len(problems) - 20} more" if len(problems) > 20 else "")
        )
        self.problems = problems
