"""Brings a database to the newest schema with Alembic; the statements themselves stand in `sql/migrations/`."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from albacore_pipeline.database import locks
from albacore_pipeline.database.engine import SQL_FOLDER, driver


class UnknownSchema(Exception):
    """The database's schema is none that this program knows. One line, with the mend."""


def migrate(engine: sa.Engine) -> None:
    """Apply every pending migration, each whole or not at all; safe to call from several processes at once.

    Raises UnknownSchema where another program made the database; then nothing is changed.
    """
    with engine.begin() as connection:
        locks.hold(connection, locks.MIGRATION)
        configuration = _configuration()
        _current(connection)
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def pending(engine: sa.Engine) -> bool:
    """Whether the schema is behind the program. Raises UnknownSchema."""
    with engine.connect() as connection:
        return _current(connection) != ScriptDirectory.from_config(_configuration()).get_current_head()


def _current(connection: sa.Connection) -> str | None:
    """The version that the database has; None before the first. Raises UnknownSchema."""
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions()}
    if current is not None and current not in known:
        raise UnknownSchema(
            f"the database has schema {current}, which this program does not know: use the program that made it, or"
            " another ALBACORE_HOME or ALBACORE_DATABASE_URL"
        )
    return current


def run_folder(connection: sa.Connection, name: str) -> None:
    """Run the files of `sql/migrations/<name>/` in order, as they stand; its folder `test/` is for the tests.

    Through the driver: SQLAlchemy would take `:name` in a function body for a parameter, and psycopg `%`.
    """
    for path in sorted((SQL_FOLDER / "migrations" / name).glob("*.sql")):
        driver(connection).execute(path.read_bytes())


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return configuration
