"""Every query file has one typed door, and the door says what PostgreSQL says."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing.rating.run import run_steps
from albacore_pipeline.database.engine import SQL_FOLDER
from albacore_pipeline.database.rows import WrongRow, fields_of, read
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.stages import Does
from albacore_pipeline_tests.database.contract import PACKAGE, Door, describe, doors, fits, goes_into, is_row
from albacore_pipeline_tests.small_world import NOW, small_month

QUERIES = sorted(
    f"{path.parent.relative_to(SQL_FOLDER)}/{path.stem}"
    for path in SQL_FOLDER.rglob("*.sql")
    if path.relative_to(SQL_FOLDER).parts[0] != "migrations"
)


@pytest.fixture(scope="module")
def rated_connection(scratch_engine: sa.Engine) -> Iterator[sa.Connection]:
    """A session in which a month was rated and a registry's table staged, so that the temporary tables are there."""
    with scratch_engine.connect() as connection:
        small_month(connection)
        connection.exec_driver_sql("create temp table staged (site text, machine text) on commit drop")
        run_steps(connection, month=Month(2025, 10), registry_version=1, run_id="test", now=NOW)
        yield connection
        connection.rollback()


def literals() -> Counter[str]:
    """How often each query's name stands in the product, as a literal."""
    found: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in QUERIES:
                found[str(node.value)] += 1
    return found


def test_every_query_file_is_named_exactly_once() -> None:
    named = literals()

    assert {name: named[name] for name in QUERIES if named[name] != 1} == {}


def test_a_query_and_its_function_bear_one_name() -> None:
    wrong = [
        f"{door.query} is run by {door.function.__module__}.{door.function.__name__}"
        for door in doors()
        if door.query.split("/") != [*door.function.__module__.split(".")[1:-1], door.function.__name__]
    ]

    assert wrong == []


def test_nothing_but_the_doors_runs_a_query_file() -> None:
    users = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.name != "queries.py" and _imports_a_runner(path)
    ]

    assert users == ["billing/rating/run.py"], "rating's steps are listed in billing/rating/steps.py"


def _imports_a_runner(path: Path) -> bool:
    runners = {"query", "sql", "rows", "row", "row_or_none", "execute", "execute_many"}
    return any(
        isinstance(node, ast.ImportFrom)
        and path.parent.name != "database"
        and (
            (
                (node.module or "").startswith("albacore_pipeline.database")
                and runners & {one.name for one in node.names}
            )
            or (node.module == "albacore_pipeline" and "database" in {one.name for one in node.names})
        )
        for node in ast.walk(ast.parse(path.read_text()))
    )


@pytest.mark.parametrize("door", doors(), ids=str)
def test_a_door_says_what_postgresql_says(door: Door, rated_connection: sa.Connection) -> None:
    found = describe(rated_connection, door.query)

    assert door.parameters.keys() == found.parameters.keys()
    assert _misfits(door.parameters, found.parameters, goes_into) == {}
    if door.by in ("execute", "execute_many"):
        assert not found.columns, "what comes back is thrown away"
    elif is_row(door.row):
        wanted = {field.name: field.kind for field in fields_of(door.row)}
        assert wanted.keys() == found.columns.keys()
        assert _misfits(wanted, found.columns, fits) == {}
    else:
        assert len(found.columns) == 1
        assert _misfits(dict.fromkeys(found.columns, door.row), found.columns, fits) == {}


def _misfits(
    wanted: Mapping[str, Any], found: Mapping[str, str], fit: Callable[[Any, str], bool]
) -> dict[str, tuple[Any, str]]:
    return {name: (kind, found[name]) for name, kind in wanted.items() if not fit(kind, found[name])}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A row with a column that may be NULL and one that may not."""

    machine: str
    serial: str | None


def test_null_is_refused_where_the_row_does_not_allow_it(connection: sa.Connection) -> None:
    connection.exec_driver_sql("create view pg_temp.answer as select 'a' as machine, null::text as serial")
    answer = connection.execute(sa.text("select * from pg_temp.answer"))

    assert read(answer, "room/query", Machine) == [Machine(machine="a", serial=None)]
    with pytest.raises(WrongRow, match=r"room/query: machine is NULL, which its row does not allow"):
        read(connection.execute(sa.text("select null::text as machine, 'x' as serial")), "room/query", Machine)


def test_other_columns_than_the_row_s_are_refused(connection: sa.Connection) -> None:
    with pytest.raises(WrongRow, match=r"room/query: the columns are \['machine'\], Machine wants"):
        read(connection.execute(sa.text("select 'a' as machine")), "room/query", Machine)


def test_an_enum_is_made_from_its_text(connection: sa.Connection) -> None:
    assert read(connection.execute(sa.text("select 'pause' as stage")), "room/query", Does) == [Does.PAUSE]


def test_what_an_enum_does_not_know_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(WrongRow, match="room/query: stage is 'nonsense', which Does does not know"):
        read(connection.execute(sa.text("select 'nonsense' as stage")), "room/query", Does)


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A row with a list whose elements are there."""

    wh: list[int]


def test_null_within_a_list_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(WrongRow, match="room/query: wh is NULL"):
        read(connection.execute(sa.text("select array[1, null] as wh")), "room/query", Hours)


def test_a_plain_type_stands_for_one_column(connection: sa.Connection) -> None:
    with pytest.raises(WrongRow, match="where one is expected"):
        read(connection.execute(sa.text("select 1 as one, 2 as two")), "room/query", int)
