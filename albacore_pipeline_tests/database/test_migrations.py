"""Migrations: each is tried on a world of the schema before it.

How a migration is tested. Its folder `sql/migrations/NNNN_name/` holds its statements, in files that run in the order
of their names. In the folder `test/` beside them stand

- `before.sql`: what the program had written by then and the migration must mind; it comes on top of the invoiced month
  of `invoiced_0001.sql` and of what the migrations before it were tried with;
- `after.sql`: statements that raise where something is lost or has not become what it should:
  `do $$ begin assert (select count(*) = 1 from albacore.hold), 'a hold is lost'; end $$;`

One test takes a world of the first schema through all migrations, with each `before.sql` and `after.sql` in its place,
and looks at the end whether what was invoiced still holds. Another names the migrations whose test is missing; the
first schema needs none, for nothing stands before it.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from albacore_pipeline.database import connect, locks, migrate, pending
from albacore_pipeline.database.engine import SQL_FOLDER, driver
from albacore_pipeline.database.migrate import UnknownSchema, _configuration
from albacore_pipeline.oversight import queries
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.conftest import _ask, _named
from albacore_pipeline_tests.small_world import ask

MIGRATIONS = SQL_FOLDER / "migrations"
INVOICED = Path(__file__).with_name("invoiced_0001.sql")
PATIENCE = 60  # seconds


@pytest.fixture
def empty(server_url: str) -> Iterator[sa.Engine]:
    """A database in which nothing is yet."""
    name = f"empty_{uuid.uuid4().hex}"
    _ask(server_url, f"create database {name} template template0 locale 'C.UTF-8'")
    engine = connect(_named(server_url, name))
    yield engine
    engine.dispose()
    _ask(server_url, f"drop database {name} with (force)")


def revisions() -> list[str]:
    """Every migration, in order; each runs the folder of its name."""
    scripts = ScriptDirectory.from_config(_configuration())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def without_a_test(migrations: Path) -> list[str]:
    """The migrations after the first that lack `test/before.sql` or `test/after.sql`."""
    later = sorted(folder for folder in migrations.iterdir() if folder.is_dir())[1:]
    return [
        folder.name
        for folder in later
        if not all((folder / "test" / name).is_file() for name in ("before.sql", "after.sql"))
    ]


def prove(engine: sa.Engine, folder: Path, upgrade: Callable[[], None]) -> None:
    """Run a migration between its before and its after. Raises psycopg.Error where the after finds something wrong."""
    run(engine, folder / "test" / "before.sql")
    upgrade()
    run(engine, folder / "test" / "after.sql")


def run(engine: sa.Engine, path: Path) -> None:
    with engine.begin() as connection:
        driver(connection).execute(path.read_bytes())


def upgrade(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)


def test_each_migration_runs_the_folder_of_its_name() -> None:
    assert revisions() == sorted(folder.name for folder in MIGRATIONS.iterdir())


def test_each_later_migration_has_its_test() -> None:
    assert without_a_test(MIGRATIONS) == []


def test_what_was_invoiced_under_the_first_schema_holds_under_the_newest(empty: sa.Engine) -> None:
    first, *later = revisions()
    upgrade(empty, first)
    run(empty, INVOICED)
    for revision in later:
        prove(empty, MIGRATIONS / revision, functools.partial(upgrade, empty, revision))
    assert not pending(empty)
    with empty.connect() as connection:
        assert ask(connection, "select number, line, month from report.invoice_lines") == [
            ("ALB-2025-000001", 1, "2025-10")
        ]
        assert ask(connection, "select number, line, amount from report.billing_records") == [("ALB-2025-000001", 1, 3)]
        first_day, last_day = date(2025, 10, 1), date(2025, 10, 31)
        assert queries.content_against_hash(connection, first_day=first_day, last_day=last_day) == []
        assert not queries.records_against_lines(
            connection, first_day=first_day, last_day=last_day, minor_units=2, currencies=["NOK"]
        )
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            connection.execute(sa.text("update albacore.document_line set amount = 4"))


def test_migrating_again_changes_nothing(engine: sa.Engine) -> None:
    objects = (
        "select oid, xmin from pg_class where relnamespace in ('albacore'::regnamespace, 'report'::regnamespace)"
        " union all select oid, xmin from pg_proc where pronamespace = 'albacore'::regnamespace order by oid"
    )
    with engine.connect() as connection:
        before = ask(connection, objects)
    migrate(engine)
    with engine.connect() as connection:
        assert ask(connection, objects) == before
    assert not pending(engine)


def test_a_schema_that_another_program_made_is_refused_in_one_line(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '0004_closing'")

    for door in (migrate, pending):
        with pytest.raises(UnknownSchema, match="has schema 0004_closing, which this program does not know"):
            door(engine)


def test_processes_that_migrate_at_once_make_one_schema(empty: sa.Engine) -> None:
    script = "import sys; from albacore_pipeline.database import connect, migrate; migrate(connect(sys.argv[1]))"
    url = empty.url.render_as_string(hide_password=False)
    with empty.begin() as connection:
        locks.hold(connection, locks.MIGRATION)  # so that they really meet
        processes = [subprocess.Popen([sys.executable, "-c", script, url], cwd=PROJECT) for _ in range(2)]
        until(lambda: waiting_for_a_lock(empty) == 2)
    assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    assert not pending(empty)


def waiting_for_a_lock(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        (row,) = ask(
            connection,
            "select count(*) from pg_locks join pg_database on pg_database.oid = database"
            " where datname = current_database() and locktype = 'advisory' and not granted",
        )
    return int(row[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


# The frame itself, on migrations that are made up


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A second migration, which turns promises to pay into disputes and says so in its test."""
    folder = tmp_path / "0002_made_up"
    (folder / "test").mkdir(parents=True)
    (tmp_path / "0001_schema").mkdir()
    (folder / "up.sql").write_text("update albacore.hold set kind = 'dispute' where kind = 'promise_to_pay'")
    (folder / "test" / "before.sql").write_text(
        "insert into albacore.hold (customer, kind, reason, owner, from_at, until_at)"
        " values ('acme', 'promise_to_pay', 'r', 'o', '2025-11-01', '2025-12-01')"
    )
    (folder / "test" / "after.sql").write_text(
        "do $$ begin assert (select array_agg(kind) = '{dispute}' from albacore.hold), 'a hold is lost'; end $$"
    )
    return folder


def test_a_later_migration_without_a_before_or_an_after_is_named(made_up: Path) -> None:
    assert without_a_test(made_up.parent) == []
    for name in ("before.sql", "after.sql"):
        lacking = made_up / "test" / name
        text = lacking.read_text()
        lacking.unlink()
        assert without_a_test(made_up.parent) == ["0002_made_up"]
        lacking.write_text(text)


def test_a_migration_that_does_what_its_test_says_passes(engine: sa.Engine, made_up: Path) -> None:
    prove(engine, made_up, functools.partial(run, engine, made_up / "up.sql"))


def test_a_migration_that_loses_what_stood_before_it_fails(engine: sa.Engine, made_up: Path) -> None:
    (made_up / "up.sql").write_text("delete from albacore.hold")
    with pytest.raises(psycopg.Error, match="a hold is lost"):
        prove(engine, made_up, functools.partial(run, engine, made_up / "up.sql"))
