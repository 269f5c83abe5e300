"""Queries with typed answers: each `<room>/queries.py` is made of these.

    rows(connection, "room/name", Row, parameter=value)          every row
    row(connection, "room/name", Row, parameter=value)           the only row
    row_or_none(connection, "room/name", Row, parameter=value)   the only row, if there is one
    execute(connection, "room/name", parameter=value)            how many rows were touched
    execute(connection, "room/name", rows=as_json(many))         many rows at once

`Row` is a frozen dataclass whose fields are the query's columns, in whatever order; where there is but one column it
may be the column's own type. A field that is an Enum is made from the column's text. NULL in a field that is not
optional is refused here, so that it can't travel on as something else.

Belongs here: how an answer becomes typed. Does not belong here: any query's name; those stand in `<room>/queries.py`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

from albacore_pipeline.database.engine import query

Row = TypeVar("Row")

Json = dict[str, Any]
"""A `jsonb` column as it comes."""


class WrongRow(Exception):
    """A query's answer is not what its row type promises: a fault of the program, named with the query."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column as its row wants it."""

    name: str
    kind: Any  # the type without `| None`
    optional: bool


def rows(connection: sa.Connection, name: str, row_type: type[Row], /, **parameters: object) -> list[Row]:
    """Every row of `sql/<name>.sql`. Raises WrongRow."""
    return read(connection.execute(query(name), _given(parameters)), name, row_type)


def row(connection: sa.Connection, name: str, row_type: type[Row], /, **parameters: object) -> Row:
    """The only row of `sql/<name>.sql`. Raises WrongRow where there is none or another one."""
    found = rows(connection, name, row_type, **parameters)
    if len(found) != 1:
        raise WrongRow(f"{name}: {len(found)} rows where there is always one")
    return found[0]


def row_or_none(connection: sa.Connection, name: str, row_type: type[Row], /, **parameters: object) -> Row | None:
    """The only row of `sql/<name>.sql`, if there is one. Raises WrongRow where there is another one."""
    found = rows(connection, name, row_type, **parameters)
    if len(found) > 1:
        raise WrongRow(f"{name}: {len(found)} rows where there is one at most")
    return found[0] if found else None


def execute(connection: sa.Connection, name: str, /, **parameters: object) -> int:
    """Run `sql/<name>.sql`; how many rows it touched."""
    return connection.execute(query(name), _given(parameters)).rowcount


def execute_many(connection: sa.Connection, name: str, values: Sequence[Mapping[str, object]], /) -> None:
    """Run `sql/<name>.sql` for each of these parameters, in few round trips."""
    if values:
        connection.execute(query(name), list(values))


def as_json(given: Sequence[Any]) -> str:
    """Frozen dataclasses as JSON, for a query that takes many at once by `jsonb_to_recordset`."""
    return json.dumps([_plain(each) for each in given], default=str)


def _plain(row: Any) -> dict[str, object]:
    """A dataclass's fields as they are; `asdict` would copy each deeply."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _given(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters as the driver takes them: a list is an array, a tuple would be a composite value."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}


def fields_of(row_type: Any) -> tuple[Field, ...]:
    """The columns that a row type wants; a plain type wants a single one, whatever its name."""
    return _fields_of(row_type)


@functools.cache
def _fields_of(row_type: Any) -> tuple[Field, ...]:
    if not is_dataclass(row_type):
        return (_field("", row_type),)
    hints = get_type_hints(row_type)
    return tuple(_field(each.name, hints[each.name]) for each in fields(row_type))


def _field(name: str, hint: Any) -> Field:
    if get_origin(hint) in (UnionType, Union):
        (kind,) = (part for part in get_args(hint) if part is not NoneType)
        return Field(name=name, kind=kind, optional=True)
    return Field(name=name, kind=hint, optional=False)


def read(result: sa.CursorResult[Any], name: str, row_type: type[Row]) -> list[Row]:
    """The rows of an answer; `name` is what an error calls the query. Raises WrongRow."""
    columns, expected = list(result.keys()), fields_of(row_type)
    if not is_dataclass(row_type):
        if len(columns) != 1:
            raise WrongRow(f"{name}: the columns are {columns}, where one is expected")
        return list(_column(name, columns[0], expected[0], [value for (value,) in result]))
    names = [field.name for field in expected]
    if set(columns) != set(names):
        raise WrongRow(f"{name}: the columns are {columns}, {row_type.__name__} wants {names}")
    by_name = {field.name: field for field in expected}
    read_columns = [
        _column(name, column, by_name[column], values)
        for column, values in zip(columns, zip(*result, strict=True), strict=False)
    ]
    make: Callable[..., Row] = row_type
    return [make(**dict(zip(columns, values, strict=True))) for values in zip(*read_columns, strict=True)]


def _column(name: str, column: str, field: Field, values: Sequence[Any]) -> Sequence[Any]:
    """A column's values as the field's: column by column, for a hundred thousand rows have a few columns."""
    full_list = get_origin(field.kind) is list and NoneType not in get_args(get_args(field.kind)[0])
    if not field.optional and None in values:
        raise WrongRow(f"{name}: {column} is NULL, which its row does not allow")
    if full_list and any(value is not None and None in value for value in values):
        raise WrongRow(f"{name}: {column} is NULL, which its row does not allow")
    if not (isinstance(field.kind, type) and issubclass(field.kind, Enum)):
        return values
    known = {value: _member(name, column, field.kind, value) for value in set(values) - {None}}
    return [known.get(value) for value in values]


def _member(name: str, column: str, kind: type[Enum], value: object) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise WrongRow(f"{name}: {column} is {value!r}, which {kind.__name__} does not know") from None
