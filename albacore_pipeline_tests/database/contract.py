"""Reads the doors of `sql/`: the functions of each room's `queries.py`, and what PostgreSQL says of their queries."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from psycopg import pq
from sqlalchemy.dialects.postgresql import asyncpg

import albacore_pipeline
from albacore_pipeline.database.engine import driver, query
from albacore_pipeline.database.rows import fields_of

PACKAGE = Path(albacore_pipeline.__file__).parent
DOORS = ("rows", "row", "row_or_none", "execute", "execute_many")

# Which PostgreSQL types a Python type stands for, by their names in pg_type.
TYPES: Mapping[Any, set[str]] = {
    bool: {"bool"},
    int: {"int2", "int4", "int8"},
    float: {"float8"},
    Decimal: {"numeric"},
    str: {"text", "varchar", "name", "bpchar"},
    date: {"date"},
    datetime: {"timestamptz"},
    dict: {"jsonb"},
}


@dataclass(frozen=True, kw_only=True)
class Door:
    """A function of a `queries.py`, the query that it names, and the row that it hands out (None: none)."""

    function: Callable[..., Any]
    query: str
    by: str  # which of DOORS
    row: Any

    @property
    def parameters(self) -> dict[str, Any]:
        """The types of the query's parameters by their names."""
        hints = get_type_hints(self.function)
        names = [name for name in inspect.signature(self.function).parameters if name != "connection"]
        if self.by == "execute_many":
            (many,) = names
            return {field.name: field.kind for field in fields_of(get_args(hints[many])[0])}
        return {name: hints[name] for name in names}

    def __str__(self) -> str:
        return self.query


def doors() -> list[Door]:
    """Every function that runs a query, room by room."""
    return [door for path in sorted(PACKAGE.rglob("queries.py")) if path.parent != PACKAGE for door in _doors_of(path)]


def _doors_of(path: Path) -> Iterator[Door]:
    runs = [
        call
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and _name(call.func) in DOORS
    ]
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert len(runs) == len(functions), f"{path}: a query is run elsewhere than in a function of the module"
    module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and _name(call.func) in DOORS]
        assert len(calls) == 1, f"{path.parent.name}.{node.name} runs {len(calls)} queries: one function, one query"
        (call,) = calls
        named = call.args[1]
        literal = isinstance(named, ast.Constant) and isinstance(named.value, str)
        assert literal, f"{path.parent.name}.{node.name}: the query's name is no literal"
        function = getattr(module, node.name)
        yield Door(function=function, query=ast.literal_eval(named), by=_name(call.func), row=_row(function))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _row(function: Callable[..., Any]) -> Any:
    answer = get_type_hints(function).get("return")
    if get_origin(answer) is list:
        return get_args(answer)[0]
    without_none = [part for part in get_args(answer) if part is not NoneType]
    return without_none[0] if NoneType in get_args(answer) else answer


@dataclass(frozen=True, kw_only=True)
class Described:
    """What PostgreSQL makes of a query: the types of its parameters and of its columns, by their names."""

    parameters: dict[str, str]
    columns: dict[str, str]


def describe(connection: sa.Connection, name: str) -> Described:
    """Prepare a query without running it. Raises AssertionError with PostgreSQL's words where it can't be prepared."""
    compiled = query(name).compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call]
    names = list(compiled.positiontup or ())
    raw = driver(connection).pgconn
    prepared = raw.prepare(b"", str(compiled).encode())
    assert prepared.status == pq.ExecStatus.COMMAND_OK, f"{name}: {prepared.error_message.decode()}"
    said = raw.describe_prepared(b"")
    types = _type_names(connection)
    return Described(
        parameters={each: types[said.param_type(at)] for at, each in enumerate(names)},
        columns={str((said.fname(at) or b"").decode()): types[said.ftype(at)] for at in range(said.nfields)},
    )


@functools.cache
def _types(url: str, engine: sa.Engine) -> dict[int, str]:
    with engine.connect() as connection:
        return {row.oid: row.typname for row in connection.execute(sa.text("select oid, typname from pg_type"))}


def _type_names(connection: sa.Connection) -> dict[int, str]:
    return _types(str(connection.engine.url), connection.engine)


def fits(kind: Any, postgres: str) -> bool:
    """Whether a value of a Python type comes out of a PostgreSQL type."""
    if NoneType in get_args(kind):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    origin = get_origin(kind)
    if origin in (list, Sequence) or (inspect.isclass(origin) and issubclass(origin, Sequence)):
        return postgres == "jsonb" or (postgres.startswith("_") and fits(get_args(kind)[0], postgres[1:]))
    if origin is Literal or (inspect.isclass(kind) and issubclass(kind, Enum)):
        return postgres in TYPES[str]
    return postgres in TYPES[origin or kind]


def goes_into(kind: Any, postgres: str) -> bool:
    """Whether a value of a Python type may be given for a parameter; JSON is given as text."""
    return fits(kind, postgres) or (postgres == "jsonb" and fits(kind, "text"))


def is_row(kind: Any) -> bool:
    """Whether a door's answer is a row with named columns."""
    return inspect.isclass(kind) and is_dataclass(kind)
