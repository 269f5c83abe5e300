"""Engines, the loader of SQL files and bulk COPY."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

SQL_FOLDER = Path(__file__).with_name("sql")  # a link to `sql/` in a checkout, the files themselves in a wheel


@functools.cache
def connect(url: str) -> sa.Engine:
    """An engine for a PostgreSQL URL, one per process and URL.

    A dead client's statement must not live on unseen, hence the session settings (they were measured: without
    `client_connection_check_interval` the INSERT of a killed client committed seconds after the kill).
    """
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)

    @sa.event.listens_for(engine, "connect")
    def _session(connection: psycopg.Connection[Any], _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "set time zone 'UTC'; set client_connection_check_interval = '1s';"
                " set idle_in_transaction_session_timeout = '5min'; set lock_timeout = '60s'"
            )
        connection.commit()

    return engine


@functools.cache
def query(name: str) -> sa.TextClause:
    """The query in `sql/<name>.sql`, with `:named` parameters."""
    return sa.text((SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection beneath."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101 - the engine above makes no other
    return raw


def copy_rows(
    connection: sa.Connection,
    *,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """COPY rows into a table in PostgreSQL's binary format, inside the connection's transaction.

    `table`, `columns` and `types` are the program's own words, never data.
    """
    with driver(connection).cursor() as cursor:
        statement = f"copy {table} ({', '.join(columns)}) from stdin (format binary)"
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
