"""A database of the first schema comes to the newest one with what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from albacore_pipeline.database import connect, migrate, pending, sql
from albacore_pipeline.database.engine import driver
from albacore_pipeline.database.migrate import _configuration
from albacore_pipeline_tests.conftest import _ask, _named
from albacore_pipeline_tests.small_world import ask

NAME = "old_schema"

OLD = Path(__file__).with_name("invoiced_0001.sql")


@pytest.fixture
def old(server_url: str) -> Iterator[sa.Engine]:
    """A database as version 0001 left it, with an invoiced month."""
    _ask(server_url, f"create database {NAME} template template0 locale 'C.UTF-8'")
    engine = connect(_named(server_url, NAME))
    with engine.begin() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001_platform")
        driver(connection).execute(OLD.read_bytes())
    yield engine
    engine.dispose()
    _ask(server_url, f"drop database {NAME} with (force)")


def test_what_was_invoiced_before_still_holds(old: sa.Engine) -> None:
    assert pending(old)
    migrate(old)
    assert not pending(old)
    days = {"first_day": "2025-10-01", "last_day": "2025-10-31"}
    with old.connect() as connection:
        assert ask(connection, "select number, line, month from report.invoice_lines") == [
            ("ALB-2025-000001", 1, "2025-10")
        ]
        assert ask(connection, "select number, line, amount from report.billing_records") == [("ALB-2025-000001", 1, 3)]
        assert sql(connection, "oversight/content_against_hash", **days).all() == []
        assert sql(connection, "oversight/records_against_lines", **days, minor_units=2, currencies=["NOK"]).all() == []
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            connection.execute(sa.text("update albacore.document_line set amount = 4"))


def test_a_schema_that_is_new_is_left_alone(engine: sa.Engine) -> None:
    migrate(engine)
    assert not pending(engine)
