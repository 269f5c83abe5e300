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


def migrate(engine: sa.Engine) -> None:
    """Apply every pending migration, each whole or not at all; safe to call from several processes at once."""
    with engine.begin() as connection:
        locks.hold(connection, locks.MIGRATION)
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def pending(engine: sa.Engine) -> bool:
    """Whether the schema is behind the program."""
    head = ScriptDirectory.from_config(_configuration()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() != head


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
