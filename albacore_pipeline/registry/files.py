"""Reads a folder of registry files and says everything that is wrong with it at once: file, line, column, mend.

Belongs here: from bytes to rows. Does not belong here: what a cell may say (`rows.py`) and what must hold between rows
(`relations.py`).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from albacore_pipeline.registry.notes import notes_on
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.policy_file import read_policies
from albacore_pipeline.registry.problems import Problem, RegistryRefused
from albacore_pipeline.registry.relations import Read, relations
from albacore_pipeline.registry.rows import (
    Assignment,
    Customer,
    Entity,
    MachineRating,
    Price,
    RegistryRow,
    Tariff,
    TariffBand,
)

__all__ = ["Problem", "Registry", "RegistryRefused", "read_registry"]

KNOWN = (
    "customers.csv", "assignments.csv", "tariffs.csv", "tariff_bands.csv", "prices.csv", "entities.csv", "machines.csv",
    "policies.yaml",
)  # fmt: skip
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
RowType = TypeVar("RowType", bound=RegistryRow)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A whole, valid registry. `content_sha256` is over the files' bytes; `notes` refuse nothing."""

    content_sha256: str
    customers: list[Customer]
    assignments: list[Assignment]
    tariffs: list[Tariff]
    machines: list[MachineRating]
    policies: dict[str, list[Policy]]
    bands: list[TariffBand] = field(default_factory=list)
    prices: list[Price] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


@dataclass
class _Reader:
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def text(self, name: str, *, required: bool = False) -> str | None:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            if required or path.is_symlink():
                self._problem(name, 0, "", f"is missing from {self.folder}")
            return None
        except OSError as error:  # a folder, say, or without permission
            self._problem(name, 0, "", f"can not be read as a file: {error.strerror}")
            return None
        self.digest.update(f"{name}\0{len(content)}\0".encode() + content)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self._problem(name, line, "", "is not UTF-8: save the file as UTF-8")
            return None
        if text and text[-1] not in "\r\n":
            line = text.count("\n") + 1
            self.notes.append(Problem(name, line, "", "ends without a line end: make sure that the file was not cut"))
        return text

    def rows(self, name: str, model: type[RowType], *, required: bool = False) -> list[tuple[int, RowType]]:
        """The valid rows with the lines on which they begin."""
        text = self.text(name, required=required)
        if text is None:
            return []
        numbered = self._numbered(name, text)
        line, header = next(numbered, (1, [""]))
        header = [column.strip() for column in header]
        if not self._header_holds(name, line, header, model):
            return []
        rows = []
        for line, cells in numbered:
            if len(cells) != len(header):
                self._problem(name, line, "", _other_width(len(cells), len(header)))
                continue
            given = {column: text for column, cell in zip(header, cells, strict=True) if (text := cell.strip())}
            try:
                rows.append((line, model.model_validate(given)))
            except ValidationError as error:
                for wrong in error.errors(include_url=False, include_input=False):
                    column = wrong.get("ctx", {}).get("column") or str(wrong["loc"][0])
                    message = "is empty" if wrong["type"] == "missing" else wrong["msg"].removeprefix("Value error, ")
                    self._problem(name, line, column, message[:300])
        return rows

    def _numbered(self, name: str, text: str) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty; line ends are the same on every system, within quotes too."""
        reader = csv.reader(io.StringIO(text, newline=None), strict=True)
        line = 1
        try:
            for cells in reader:
                if any(map(str.strip, cells)):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            self._problem(name, line, "", _mend(error))

    def _header_holds(self, name: str, line: int, header: Sequence[str], model: type[RegistryRow]) -> bool:
        if len(header) == 1 and (marks := [mark for mark in SEPARATORS if mark in header[0]]):
            message = f"is separated by {SEPARATORS[marks[0]]}: separate columns by commas, and write numbers as 1234.5"
            self._problem(name, line, "", message)
            return False
        required = {column for column, info in model.model_fields.items() if info.is_required()}
        missing, unknown = required - set(header), set(header) - set(model.model_fields)
        found = [Problem(name, line, column, "this column is missing from the header") for column in missing]
        known = f"no such column: separate columns by commas; they are {', '.join(model.model_fields)}"
        found += [Problem(name, line, column[:50] or "(empty)", known) for column in unknown]
        if len(set(header)) < len(header):
            found.append(Problem(name, line, "", "a column stands twice in the header"))
        self.problems += found
        return not found

    def _problem(self, name: str, line: int, column: str, message: str) -> None:
        self.problems.append(Problem(name, line, column, message))

    def policies(self) -> dict[str, list[Policy]]:
        """The policies by name; without a file, the default one."""
        text = self.text("policies.yaml")
        if text is None:
            return {"default": [Policy()]}
        policies, problems = read_policies(text)
        self.problems += problems
        return policies

    def strangers(self) -> Iterator[Problem]:
        """Files that nobody reads, and that look as if somebody should."""
        for path in sorted(self.folder.iterdir()):
            if path.suffix.lower() in (".csv", ".yaml", ".yml") and path.name not in KNOWN:
                yield Problem(path.name, 0, "", f"is not read: the registry's files are {', '.join(KNOWN)}")


def _other_width(cells: int, header: int) -> str:
    mend = "put quotes around a cell with a comma in it" if cells > header else "was the line cut?"
    return f"has {cells} cells, the header has {header}: {mend}"


def _mend(error: csv.Error) -> str:
    reason = str(error)
    if reason == "unexpected end of data":
        return "is not CSV: a quote that opens here is never closed: was the file cut, or is a quote missing?"
    if reason.startswith("field larger"):
        return f"has a cell of more than {csv.field_size_limit()} characters: is a quote missing?"
    return f"is not CSV: {reason}: within quotes, write a quote twice"


def read_registry(folder: Path) -> Registry:
    """Read and validate a folder as a whole. Raises RegistryRefused with every problem."""
    if not folder.is_dir():
        raise RegistryRefused([Problem(str(folder), 0, "", "is no folder: name the one that holds customers.csv")])
    reader = _Reader(folder)
    read = Read(
        customers=reader.rows("customers.csv", Customer, required=True),
        assignments=reader.rows("assignments.csv", Assignment, required=True),
        tariffs=reader.rows("tariffs.csv", Tariff, required=True),
        machines=reader.rows("machines.csv", MachineRating),
        policies=reader.policies(),
        bands=reader.rows("tariff_bands.csv", TariffBand),
        prices=reader.rows("prices.csv", Price),
        entities=reader.rows("entities.csv", Entity),
    )
    reader.problems += relations(read, spoiled={problem.file for problem in reader.problems})
    if reader.problems:
        raise RegistryRefused(sorted(set(reader.problems)))
    return Registry(
        content_sha256=reader.digest.hexdigest(),
        customers=_bare(read.customers),
        assignments=_bare(read.assignments),
        tariffs=_bare(read.tariffs),
        machines=_bare(read.machines),
        policies=read.policies,
        bands=_bare(read.bands),
        prices=_bare(read.prices),
        entities=_bare(read.entities),
        notes=sorted([*reader.notes, *reader.strangers(), *notes_on(read)]),
    )


def _bare(numbered: Sequence[tuple[int, RowType]]) -> list[RowType]:
    return [row for _, row in numbered]
