"""Reads a folder of registry files and says everything that is wrong with it at once: file, line, column, mend."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Customer, Dated, MachineRating, Row, Tariff

LARGEST_CELL = 10_000
RowType = TypeVar("RowType", bound=Row)
DatedType = TypeVar("DatedType", bound=Dated)


@dataclass(frozen=True, order=True)
class Problem:
    """Something that keeps a registry from being loaded."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.column}: {self.message}" if self.column else f"{place}: {self.message}"


class RegistryRefused(Exception):
    """The registry was refused whole; `problems` has them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            "; ".join(map(str, problems[:20])) + (f"; and {len(problems) - 20} more" if len(problems) > 20 else "")
        )
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A whole, valid registry. `content_sha256` is over the files' bytes."""

    content_sha256: str
    customers: list[Customer]
    assignments: list[Assignment]
    tariffs: list[Tariff]
    machines: list[MachineRating]
    policies: dict[str, list[Policy]]


@dataclass
class _Reader:
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def text(self, name: str, *, required: bool) -> str | None:
        path = self.folder / name
        if not path.is_file():
            if required:
                self.problems.append(Problem(name, 0, "", f"is missing from {self.folder}"))
            return None
        content = path.read_bytes()
        self.digest.update(f"{name}\0{len(content)}\0".encode() + content)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.problems.append(Problem(name, line, "", "is not UTF-8: save the file as UTF-8"))
            return None

    def rows(self, name: str, model: type[RowType], *, required: bool = True) -> list[tuple[int, RowType]]:
        """The valid rows with their lines."""
        text = self.text(name, required=required)
        if text is None:
            return []
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            header = [column.strip() for column in next(reader, [])]
            if not self._header_holds(name, header, model):
                return []
            return [
                row
                for row in (self._row(name, reader.line_num, header, cells, model) for cells in reader if cells)
                if row
            ]
        except csv.Error as error:
            self.problems.append(Problem(name, reader.line_num, "", f"is not CSV: {error}"))
            return []

    def _header_holds(self, name: str, header: Sequence[str], model: type[Row]) -> bool:
        required = {column for column, info in model.model_fields.items() if info.is_required()}
        missing, unknown = required - set(header), set(header) - set(model.model_fields)
        for column in sorted(missing):
            self.problems.append(Problem(name, 1, column, "this column is missing from the header"))
        for column in sorted(unknown):
            self.problems.append(
                Problem(
                    name,
                    1,
                    column or "(empty)",
                    "no such column: separate columns by commas and see the README for their names",
                )
            )
        if len(set(header)) < len(header):
            self.problems.append(Problem(name, 1, "", "a column stands twice in the header"))
        return not missing and not unknown and len(set(header)) == len(header)

    def _row(
        self, name: str, line: int, header: Sequence[str], cells: Sequence[str], model: type[RowType]
    ) -> tuple[int, RowType] | None:
        if len(cells) != len(header):
            self.problems.append(Problem(name, line, "", f"has {len(cells)} cells, the header has {len(header)}"))
            return None
        if any(len(cell) > LARGEST_CELL for cell in cells):
            self.problems.append(Problem(name, line, "", f"has a cell of more than {LARGEST_CELL} characters"))
            return None
        try:
            return line, model.model_validate(
                {column: cell for column, cell in zip(header, cells, strict=True) if cell.strip()}
            )
        except ValidationError as error:
            for wrong in error.errors(include_url=False):
                column = str(wrong["loc"][0]) if wrong["loc"] else ""
                message = wrong["msg"].removeprefix("Value error, ")
                if wrong["type"] == "missing":
                    message = "is empty"
                self.problems.append(Problem(name, line, column, message[:300]))
            return None

    def policies(self) -> dict[str, list[Policy]]:
        """The policies by name, ordered by day; without a file, the default one."""
        name = "policies.yaml"
        text = self.text(name, required=False)
        if text is None:
            return {"default": [Policy()]}
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self.problems.append(
                Problem(name, mark.line + 1 if mark else 0, "", f"is not YAML: {getattr(error, 'problem', error)}")
            )
            return {}
        except (ValueError, RecursionError) as error:  # a day that is none, or brackets without end
            self.problems.append(Problem(name, 0, "", f"is not YAML that can be read: {error}"))
            return {}
        if not isinstance(content, dict) or not all(isinstance(versions, list) for versions in content.values()):
            self.problems.append(Problem(name, 1, "", "must be a mapping of policy names to lists of versions"))
            return {}
        policies: dict[str, list[Policy]] = {}
        for policy, versions in content.items():
            try:
                policies[str(policy)] = sorted(
                    (Policy.model_validate(version) for version in versions), key=lambda version: version.from_day
                )
                for earlier, later in pairwise(policies[str(policy)]):
                    if earlier.from_day == later.from_day:
                        self.problems.append(Problem(name, 0, f"{policy}.from_day", f"{later.from_day} stands twice"))
            except ValidationError as error:
                for wrong in error.errors(include_url=False):
                    self.problems.append(Problem(name, 0, f"{policy}.{'.'.join(map(str, wrong['loc']))}", wrong["msg"]))
        return policies


def read_registry(folder: Path) -> Registry:
    """Read and validate a folder as a whole. Raises RegistryRefused with every problem."""
    if not folder.is_dir():
        raise RegistryRefused([Problem(str(folder), 0, "", "is no folder: name the one that holds customers.csv")])
    reader = _Reader(folder)
    customers = reader.rows("customers.csv", Customer)
    assignments = reader.rows("assignments.csv", Assignment)
    tariffs = reader.rows("tariffs.csv", Tariff)
    machines = reader.rows("machines.csv", MachineRating, required=False)
    policies = reader.policies()
    if not reader.problems:  # what hangs together can be judged only where every row could be read
        reader.problems += _relations(customers, assignments, tariffs, machines, policies)
    if reader.problems:
        raise RegistryRefused(sorted(reader.problems))
    return Registry(
        content_sha256=reader.digest.hexdigest(),
        customers=[row for _, row in customers],
        assignments=[row for _, row in assignments],
        tariffs=[row for _, row in tariffs],
        machines=[row for _, row in machines],
        policies=policies,
    )


def _relations(
    customers: Sequence[tuple[int, Customer]],
    assignments: Sequence[tuple[int, Assignment]],
    tariffs: Sequence[tuple[int, Tariff]],
    machines: Sequence[tuple[int, MachineRating]],
    policies: dict[str, list[Policy]],
) -> Iterator[Problem]:
    yield from _duplicates("customers.csv", customers, lambda row: row.customer, "customer")
    yield from _duplicates("machines.csv", machines, lambda row: (row.site, row.machine), "machine")
    known = {row.customer: row for _, row in customers}
    for line, customer in customers:
        if customer.policy not in policies:
            yield Problem("customers.csv", line, "policy", f"{customer.policy!r} is not in policies.yaml")
    for line, assignment in assignments:
        if assignment.customer not in known:
            yield Problem("assignments.csv", line, "customer", f"{assignment.customer!r} is not in customers.csv")
    for line, tariff in tariffs:
        if tariff.customer and tariff.customer not in known:
            yield Problem("tariffs.csv", line, "customer", f"{tariff.customer!r} is not in customers.csv")
        elif tariff.customer and known[tariff.customer].currency != tariff.currency:
            yield Problem(
                "tariffs.csv",
                line,
                "currency",
                f"is {tariff.currency}, the customer's is {known[tariff.customer].currency}",
            )
    yield from _overlaps(
        "assignments.csv", assignments, lambda row: (row.site, row.machine), "the machine belongs to somebody already"
    )
    yield from _overlaps(
        "tariffs.csv",
        tariffs,
        lambda row: (row.customer, row.site, row.currency),
        "another tariff holds for the same customer, site and currency",
    )


def _duplicates(
    file: str, rows: Iterable[tuple[int, RowType]], key: Callable[[RowType], Hashable], column: str
) -> Iterator[Problem]:
    first: dict[Hashable, int] = {}
    for line, row in rows:
        if key(row) in first:
            yield Problem(file, line, column, f"stands in line {first[key(row)]} already")
        first.setdefault(key(row), line)


def _overlaps(
    file: str, rows: Iterable[tuple[int, DatedType]], key: Callable[[DatedType], Hashable], message: str
) -> Iterator[Problem]:
    groups: defaultdict[Hashable, list[tuple[int, DatedType]]] = defaultdict(list)
    for line, row in rows:
        groups[key(row)].append((line, row))
    for group in groups.values():
        group.sort(key=lambda item: item[1].from_day)
        for (line, row), (next_line, next_row) in pairwise(group):
            if next_row.from_day <= row.to_day:
                yield Problem(file, next_line, "from_day", f"{message} on {next_row.from_day} (line {line})")
