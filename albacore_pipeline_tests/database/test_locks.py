"""The locks: who waits for whom, and that all of them stand in one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.database.engine import SQL_FOLDER
from albacore_pipeline.settings import PROJECT

NORWAY = locks.site_day(site="norway", day=date(2025, 10, 5))


@pytest.fixture
def other(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A second session, which does not wait for locks."""
    with engine.connect() as connection:
        connection.exec_driver_sql("set lock_timeout = '1ms'")
        connection.commit()
        yield connection


def test_a_lock_is_held_until_the_transaction_ends(engine: sa.Engine, other: sa.Connection) -> None:
    with engine.begin() as connection:
        locks.hold(connection, NORWAY)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            locks.hold(other, NORWAY)
        other.rollback()
    locks.hold(other, NORWAY)


def test_locks_of_other_names_are_not_waited_for(engine: sa.Engine, other: sa.Connection) -> None:
    with engine.begin() as connection:
        locks.hold(connection, NORWAY)
        locks.hold(other, locks.site_day(site="norway", day=date(2025, 10, 6)))
        locks.hold(other, locks.site_day(site="finland", day=date(2025, 10, 5)))


def test_a_lock_across_transactions_is_left_to_whoever_holds_it(engine: sa.Engine) -> None:
    mail, power = locks.dispatching("mail"), locks.dispatching("power.pause")
    with locks.held_if_free(engine, mail) as first:
        with locks.held_if_free(engine, mail) as second, locks.held_if_free(engine, power) as another:
            assert (first, second, another) == (True, False, True)
        with locks.held_if_free(engine, mail) as second:
            assert not second, "whoever did not get it has not let it go either"
    with locks.held_if_free(engine, mail) as again:
        assert again


def test_a_lock_is_let_go_when_its_holder_fails(engine: sa.Engine) -> None:
    with pytest.raises(ZeroDivisionError), locks.held_if_free(engine, locks.REGISTRY):
        raise ZeroDivisionError
    with locks.held_if_free(engine, locks.REGISTRY) as free:
        assert free


def test_every_lock_stands_in_the_table_of_locks() -> None:
    table = re.findall(r"^\| `([^`]+)`", locks.__doc__ or "", re.MULTILINE)
    examples = [locks.dispatching("KIND"), locks.billing("YYYY-MM"), NORWAY]
    ours = [lock.name for lock in [locks.MIGRATION, locks.REGISTRY, locks.ESCALATION, *examples]]
    named = [name.replace("norway 2025-10-05", "SITE DAY") for name in ours]
    assert sorted(table) == sorted(named + _taken_in_sql())


def _taken_in_sql() -> list[str]:
    taken = "".join(path.read_text() for path in SQL_FOLDER.rglob("*.sql") if "advisory" in path.read_text())
    names = re.findall(r"pg_advisory_xact_lock\(hashtextextended\('([^']+)', 0\)\)", taken)
    assert len(names) == taken.count("pg_advisory"), "a lock of another form: name it as locks.py does"
    return names


def test_nothing_else_in_the_product_takes_an_advisory_lock() -> None:
    assert [path for path in _product() if "pg_advisory" in path.read_text() or "pg_try_adv" in path.read_text()] == [
        PROJECT / "albacore_pipeline" / "database" / "locks.py"
    ]


def _product() -> list[Path]:
    return sorted((PROJECT / "albacore_pipeline").rglob("*.py"))
